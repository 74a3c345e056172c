-- Version 1. Times are milliseconds since 1970 (UTC), JSON is text, hashes are 16 raw bytes.

CREATE TABLE scope (
    id          INTEGER PRIMARY KEY,
    pipeline    TEXT NOT NULL,
    environment TEXT NOT NULL,
    UNIQUE (pipeline, environment)
) STRICT;

-- One row per scope that was ever locked. The row stays when the lock is released, because its token may only grow.
CREATE TABLE lock (
    scope     INTEGER PRIMARY KEY REFERENCES scope (id),
    token     INTEGER NOT NULL,
    held      INTEGER NOT NULL,
    run       TEXT NOT NULL,
    pid       INTEGER NOT NULL,
    host      TEXT NOT NULL,
    machine   TEXT,           -- boot and process namespace: where the pid means something; null = not known
    born      TEXT,           -- start of the process: tells it from a later one with the same pid
    since     INTEGER NOT NULL,
    heartbeat INTEGER NOT NULL
) STRICT;

CREATE TABLE run (
    no            INTEGER PRIMARY KEY,  -- what other tables refer to: 16 characters a receipt would be too many
    id            TEXT NOT NULL UNIQUE,
    scope         INTEGER NOT NULL REFERENCES scope (id),
    pipeline_file TEXT NOT NULL,
    started_at    INTEGER NOT NULL,
    params        TEXT,
    version       TEXT NOT NULL,
    status        TEXT CHECK (status IN ('done', 'failed', 'rejects', 'interrupted')),  -- null = not finished
    exit_code     INTEGER,
    finished_at   INTEGER,
    error         TEXT
) STRICT;
CREATE INDEX run_by_scope ON run (scope, id);

CREATE TABLE node (
    run      INTEGER NOT NULL REFERENCES run (no),
    position INTEGER NOT NULL,
    node     TEXT NOT NULL,
    kind     TEXT NOT NULL,
    rows_in  INTEGER NOT NULL,
    rows_out INTEGER NOT NULL,
    filtered INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    skipped  INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    millis   INTEGER NOT NULL,
    extra    TEXT,
    PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE cursor (
    scope      INTEGER NOT NULL REFERENCES scope (id),
    node       TEXT NOT NULL,
    value      TEXT,
    updated_at INTEGER NOT NULL,
    run        TEXT NOT NULL,  -- who moved it; text, because `state set` moves one without a run on record
    PRIMARY KEY (scope, node)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: an id that a person has noted down never comes to mean another reject.
CREATE TABLE reject (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    run    INTEGER NOT NULL REFERENCES run (no),
    node   TEXT NOT NULL,
    step   INTEGER,
    field  TEXT,
    value  TEXT,
    reason TEXT NOT NULL,
    row    TEXT
) STRICT;
CREATE INDEX reject_by_run ON reject (run);

-- Where a sink writes. A sink pointed at another system is another route and starts afresh.
CREATE TABLE route (
    id     INTEGER PRIMARY KEY,
    scope  INTEGER NOT NULL REFERENCES scope (id),
    sink   TEXT NOT NULL,
    target TEXT NOT NULL,
    UNIQUE (scope, sink, target)
) STRICT;

-- The latest attempt for every key, and what was confirmed before it. A table with row ids and one compact index rather than
-- WITHOUT ROWID: keys are hashes, so a clustered table would dirty one leaf of wide rows per intent and again per
-- receipt; here rows are appended, and a receipt touches a page that is still warm.
CREATE TABLE journal (
    id               INTEGER PRIMARY KEY,
    route            INTEGER NOT NULL REFERENCES route (id),
    key_hash         BLOB NOT NULL CHECK (length(key_hash) = 16),
    payload_hash     BLOB NOT NULL CHECK (length(payload_hash) = 16),
    outcome          INTEGER NOT NULL,  -- 0 intent, 1 confirmed, 2 refused, 3 unknown
    attempts         INTEGER NOT NULL,  -- times it may have left since its state was last certain
    run              INTEGER NOT NULL REFERENCES run (no),
    at               INTEGER NOT NULL,
    key              TEXT,
    fields           TEXT,
    message          TEXT,
    confirmed_hash   BLOB,              -- the four are null while the latest attempt is itself confirmed
    confirmed_fields TEXT,
    confirmed_run    INTEGER REFERENCES run (no),
    confirmed_at     INTEGER
) STRICT;
CREATE UNIQUE INDEX journal_by_key ON journal (route, key_hash);
-- What a crash left: small however long the journal is.
CREATE INDEX journal_unsettled ON journal (route) WHERE outcome IN (0, 3);
