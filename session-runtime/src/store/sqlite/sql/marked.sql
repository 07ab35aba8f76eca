SELECT at FROM "sessile_mark" WHERE owner = ?1 AND until > ?2
