DELETE FROM "sessile_mark" WHERE owner IN (
    SELECT owner FROM "sessile_mark" WHERE until <= ?1 ORDER BY until LIMIT ?2)
