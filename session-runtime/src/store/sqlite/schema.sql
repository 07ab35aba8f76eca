CREATE TABLE IF NOT EXISTS "sessile_session" (
    id      INTEGER PRIMARY KEY,
    key     BLOB    NOT NULL UNIQUE, -- the SHA-256 of the id that the visitor has
    rev     INTEGER NOT NULL,        -- which state of the record this is
    expires INTEGER NOT NULL,        -- milliseconds since 1970, as all times here
    created INTEGER,                 -- NULL if it has an idle timeout of its own
    matched INTEGER NOT NULL,        -- whether the last to write found the revision they expected
    owners  TEXT,                    -- hashes of those whose session it is, as JSON; NULL if it is nobody's
    record  TEXT    NOT NULL         -- JSON
) STRICT;

CREATE INDEX IF NOT EXISTS "sessile_session_expires" ON "sessile_session" (expires);

-- The sessions of an owner, kept by the triggers.
CREATE TABLE IF NOT EXISTS "sessile_owner" (
    owner   TEXT    NOT NULL,
    session INTEGER NOT NULL,
    PRIMARY KEY (owner, session)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS "sessile_session_begins"
AFTER INSERT ON "sessile_session" WHEN new.owners IS NOT NULL
BEGIN
    INSERT INTO "sessile_owner" (owner, session) SELECT value, new.id FROM json_each(new.owners);
END;

CREATE TRIGGER IF NOT EXISTS "sessile_session_changes_hands"
AFTER UPDATE OF owners ON "sessile_session" WHEN new.owners IS NOT old.owners
BEGIN
    DELETE FROM "sessile_owner"
    WHERE session = old.id AND owner IN (SELECT value FROM json_each(old.owners));
    INSERT INTO "sessile_owner" (owner, session) SELECT value, new.id FROM json_each(new.owners);
END;

-- The new key may be that of a session which has ended: a live one there undoes the statement.
CREATE TRIGGER IF NOT EXISTS "sessile_session_moves"
BEFORE UPDATE OF key ON "sessile_session" WHEN new.key IS NOT old.key
BEGIN
    DELETE FROM "sessile_session" WHERE key = new.key;
END;

CREATE TRIGGER IF NOT EXISTS "sessile_session_ends"
AFTER DELETE ON "sessile_session" WHEN old.owners IS NOT NULL
BEGIN
    DELETE FROM "sessile_owner"
    WHERE session = old.id AND owner IN (SELECT value FROM json_each(old.owners));
END;

CREATE TABLE IF NOT EXISTS "sessile_mark" (
    owner TEXT    PRIMARY KEY,
    at    INTEGER NOT NULL,          -- what this owner began up to here is revoked
    until INTEGER NOT NULL           -- when the mark itself is past
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS "sessile_mark_until" ON "sessile_mark" (until);

-- Of these tables; `user_version` is left to the application.
CREATE TABLE IF NOT EXISTS "sessile_schema" (
    version INTEGER NOT NULL
) STRICT;

DELETE FROM "sessile_schema" WHERE version < 1;
INSERT INTO "sessile_schema" (version) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM "sessile_schema");
