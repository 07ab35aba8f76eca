UPDATE "sessile_session"
SET matched = rev = ?2,
    rev     = iif(rev = ?2, ?3, rev),
    expires = iif(rev = ?2, ?4, expires),
    created = iif(rev = ?2, ?5, created),
    owners  = iif(rev = ?2, ?6, owners),
    record  = iif(rev = ?2, ?7, record)
WHERE key = ?1 AND expires > ?8
RETURNING matched, iif(matched, NULL, record) AS record, expires
