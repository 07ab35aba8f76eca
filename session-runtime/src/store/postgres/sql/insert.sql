INSERT INTO "sessile"."session" AS stands (key, rev, expires, created, owners, record)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (key) DO UPDATE
SET rev = excluded.rev, expires = excluded.expires, created = excluded.created,
    owners = excluded.owners, record = excluded.record
WHERE stands.expires <= $7
RETURNING 1
