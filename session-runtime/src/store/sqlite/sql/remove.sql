DELETE FROM "sessile_session" WHERE key = ?1
RETURNING expires > ?2 AS lived
