WITH dead AS (
    DELETE FROM "sessile"."session" WHERE key = ANY (ARRAY(
        SELECT key FROM "sessile"."session" WHERE expires <= $1
        ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1
), past AS (
    DELETE FROM "sessile"."mark" WHERE owner = ANY (ARRAY(
        SELECT owner FROM "sessile"."mark" WHERE until <= $1
        ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED))
)
SELECT count(*) AS freed FROM dead
