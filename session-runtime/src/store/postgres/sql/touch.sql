WITH done AS (
    UPDATE "sessile"."session" SET expires = $3
    WHERE key = $1 AND rev = $2 AND expires > $4
    RETURNING 1
), stands AS (
    SELECT 1 FROM "sessile"."session"
    WHERE key = $1 AND expires > $4 AND NOT EXISTS (SELECT FROM done)
    FOR NO KEY UPDATE
)
SELECT 1 FROM done UNION ALL SELECT 1 FROM stands
