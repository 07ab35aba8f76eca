SELECT record, expires FROM "sessile"."session"
WHERE key = $1 AND expires > $2
