SELECT record, expires FROM "sessile_session"
WHERE key = ?1 AND expires > ?2
