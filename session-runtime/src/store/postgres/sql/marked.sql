SELECT at FROM "sessile"."mark" WHERE owner = $1 AND until > $2
