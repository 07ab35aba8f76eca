INSERT INTO "sessile"."mark" AS stands (owner, at, until) VALUES ($1, $2, $3)
ON CONFLICT (owner) DO UPDATE
SET at = CASE WHEN stands.until > $5 THEN greatest(excluded.at, stands.at + 1) ELSE excluded.at END,
    until = greatest(excluded.until, stands.until)
WHERE stands.until <= $5 OR stands.at < $4
RETURNING at
