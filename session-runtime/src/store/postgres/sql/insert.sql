INSERT INTO "sessile"."session" AS stands (key, rev, expires, owners, record)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (key) DO UPDATE
SET rev = excluded.rev, expires = excluded.expires, owners = excluded.owners, record = excluded.record
WHERE stands.expires <= $6
RETURNING 1
