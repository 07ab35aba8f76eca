DELETE FROM "sessile_session" WHERE id IN (
    SELECT id FROM "sessile_session" WHERE expires <= ?1 ORDER BY expires LIMIT ?2)
