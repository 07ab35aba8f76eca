UPDATE "sessile_session" SET expires = iif(rev = ?2, ?3, expires)
WHERE key = ?1 AND expires > ?4
RETURNING 1
