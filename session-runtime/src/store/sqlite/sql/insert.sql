INSERT INTO "sessile_session" AS stands (key, rev, expires, matched, owners, record)
VALUES (?1, ?2, ?3, 1, ?4, ?5)
ON CONFLICT (key) DO UPDATE
SET rev = excluded.rev, expires = excluded.expires, matched = 1,
    owners = excluded.owners, record = excluded.record
WHERE stands.expires <= ?6
RETURNING 1
