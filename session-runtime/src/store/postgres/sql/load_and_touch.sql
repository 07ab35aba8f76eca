WITH due AS (
    SELECT 1 FROM "sessile"."session"
    WHERE key = $1 AND expires > $2 AND created IS NOT NULL
      AND least($3, created + $4) > $2 AND abs(least($3, created + $4) - expires) >= $5
), touched AS (
    UPDATE "sessile"."session" SET expires = least($3, created + $4)
    WHERE key = $1 AND expires > $2 AND created IS NOT NULL
      AND least($3, created + $4) > $2 AND abs(least($3, created + $4) - expires) >= $5
    RETURNING record, expires
), stands AS (
    SELECT record, expires FROM "sessile"."session"
    WHERE key = $1 AND expires > $2 AND EXISTS (SELECT FROM due) AND NOT EXISTS (SELECT FROM touched)
    FOR NO KEY UPDATE
)
SELECT record, expires FROM touched
UNION ALL SELECT record, expires FROM stands
UNION ALL SELECT record, expires FROM "sessile"."session"
WHERE key = $1 AND expires > $2 AND NOT EXISTS (SELECT FROM due)
