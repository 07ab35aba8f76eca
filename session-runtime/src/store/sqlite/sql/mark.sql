INSERT INTO "sessile_mark" AS stands (owner, at, until) VALUES (?1, ?2, ?3)
ON CONFLICT (owner) DO UPDATE
SET at = iif(stands.until > ?5, max(excluded.at, stands.at + 1), excluded.at),
    until = max(excluded.until, stands.until)
WHERE stands.until <= ?5 OR stands.at < ?4
RETURNING at
