WITH done AS (
    UPDATE "sessile"."session" SET rev = $3, expires = $4, created = $5, owners = $6, record = $7
    WHERE key = $1 AND rev = $2 AND expires > $8
    RETURNING 1
), stands AS (
    SELECT record, expires FROM "sessile"."session"
    WHERE key = $1 AND expires > $8 AND NOT EXISTS (SELECT FROM done)
    FOR NO KEY UPDATE
)
SELECT NULL::bytea AS record, NULL::bigint AS expires FROM done
UNION ALL SELECT record, expires FROM stands
