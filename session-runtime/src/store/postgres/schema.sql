-- Whoever migrates at the same time waits here, and then finds all of it done.
SELECT pg_advisory_xact_lock(5999446083407868001);

DO $$ BEGIN
    IF to_regnamespace('"sessile"') IS NULL THEN CREATE SCHEMA "sessile"; END IF;
END $$;

CREATE TABLE IF NOT EXISTS "sessile"."session" (
    key     bytea  PRIMARY KEY, -- the SHA-256 of the id
    rev     bigint NOT NULL,    -- which state of the record this is
    expires bigint NOT NULL,    -- milliseconds since 1970, as all times here
    owners  bytea[],            -- hashes of those whose session it is; NULL if it is nobody's
    record  bytea  NOT NULL,    -- JSON: convert_from(record, 'UTF8') shows it
    created bigint              -- NULL if it has an idle timeout of its own
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- Schema 1 had it not. Its sessions stay as they are, and are touched by a statement of its own.
ALTER TABLE "sessile"."session" ADD COLUMN IF NOT EXISTS created bigint;

CREATE INDEX IF NOT EXISTS "session_expires" ON "sessile"."session" (expires);

CREATE INDEX IF NOT EXISTS "session_owners" ON "sessile"."session"
    USING gin (owners) WITH (fastupdate = off) WHERE owners IS NOT NULL;

CREATE TABLE IF NOT EXISTS "sessile"."mark" (
    owner  bytea  PRIMARY KEY,
    at     bigint NOT NULL,     -- what this owner began up to here is revoked
    until  bigint NOT NULL      -- when the mark itself is past
);

CREATE INDEX IF NOT EXISTS "mark_until" ON "sessile"."mark" (until);

COMMENT ON TABLE "sessile"."session" IS 'sessile schema 2';
