UPDATE "sessile_session" SET expires = min(?3, created + ?4)
WHERE key = ?1 AND expires > ?2 AND created IS NOT NULL
  AND min(?3, created + ?4) > ?2 AND abs(min(?3, created + ?4) - expires) >= ?5
RETURNING record, expires
