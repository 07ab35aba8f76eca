UPDATE "sessile_session"
SET matched = rev = ?2,
    key     = iif(rev = ?2, ?3, key),
    rev     = CASE WHEN rev <> ?2 THEN rev
                   WHEN NOT EXISTS (SELECT 1 FROM "sessile_session" AS taken
                                    WHERE taken.key = ?3 AND taken.expires > ?9) THEN ?4 END,
    expires = iif(rev = ?2, ?5, expires),
    created = iif(rev = ?2, ?6, created),
    owners  = iif(rev = ?2, ?7, owners),
    record  = iif(rev = ?2, ?8, record)
WHERE key = ?1 AND expires > ?9
RETURNING matched, iif(matched, NULL, record) AS record, expires
