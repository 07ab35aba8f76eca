WITH gone AS (
    DELETE FROM "sessile"."session" WHERE key = $1 AND rev = $2 AND expires > $9
    RETURNING 1
), done AS (
    INSERT INTO "sessile"."session" AS taken (key, rev, expires, created, owners, record)
    SELECT $3, $4, $5, $6, $7, $8 FROM gone
    ON CONFLICT (key) DO UPDATE
    SET rev = CASE WHEN taken.expires <= $9 THEN excluded.rev END, expires = excluded.expires,
        created = excluded.created, owners = excluded.owners, record = excluded.record
    RETURNING 1
), stands AS (
    SELECT record, expires FROM "sessile"."session"
    WHERE key = $1 AND expires > $9 AND NOT EXISTS (SELECT FROM gone)
    FOR NO KEY UPDATE
)
SELECT NULL::bytea AS record, NULL::bigint AS expires FROM done
UNION ALL SELECT record, expires FROM stands
