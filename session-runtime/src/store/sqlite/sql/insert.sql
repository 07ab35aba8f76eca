INSERT INTO "sessile_session" AS stands (key, rev, expires, created, matched, owners, record)
VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)
ON CONFLICT (key) DO UPDATE
SET rev = excluded.rev, expires = excluded.expires, created = excluded.created, matched = 1,
    owners = excluded.owners, record = excluded.record
WHERE stands.expires <= ?7
RETURNING 1
