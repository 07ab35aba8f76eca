INSERT INTO "sessile"."mark" AS stands (owner, at, until) VALUES ($1, $2, $3)
ON CONFLICT (owner) DO UPDATE
SET at = CASE WHEN stands.until > $4 THEN greatest(excluded.at, stands.at + 1) ELSE excluded.at END,
    until = greatest(excluded.until, stands.until)
RETURNING at
