SELECT key, record, expires
FROM "sessile_owner" AS listed JOIN "sessile_session" AS session ON session.id = listed.session
WHERE listed.owner = ?1 AND expires > ?2
