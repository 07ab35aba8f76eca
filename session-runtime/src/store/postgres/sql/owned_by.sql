SELECT key, record, expires FROM "sessile"."session"
WHERE owners @> ARRAY[$1] AND expires > $2
