-- schema.sql: the newest schema in one piece, to read. A test proves it equal to the sum of migrations/.

-- A file of the blob store that is whole and durable. The row is written after the file and removed before it.
CREATE TABLE blobs (
    digest     TEXT    NOT NULL PRIMARY KEY,  -- "sha256:<64 hex>", also the file's name
    size       INTEGER NOT NULL CHECK (size >= 0),
    stored_at  INTEGER NOT NULL               -- Unix seconds
) STRICT, WITHOUT ROWID;

-- Revisions of a source, newest = largest id. A blob with a row here is never removed.
CREATE TABLE artifacts (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    source     TEXT    NOT NULL,              -- "GitRepository/<namespace>/<name>"
    revision   TEXT    NOT NULL,              -- "main@sha1:<40 hex>"
    digest     TEXT    NOT NULL REFERENCES blobs (digest),
    size       INTEGER NOT NULL,
    stored_at  INTEGER NOT NULL,              -- Unix seconds: status.artifact.lastUpdateTime
    metadata   TEXT    NOT NULL DEFAULT '{}'  -- JSON object: status.artifact.metadata
) STRICT;

CREATE INDEX artifacts_by_source ON artifacts (source, id);
CREATE INDEX artifacts_by_digest ON artifacts (digest);

-- One row per Flux or FluxConfig object.
CREATE TABLE objects (
    kind       TEXT    NOT NULL,
    namespace  TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    wish       TEXT    NOT NULL DEFAULT '',   -- apiVersion, kind, metadata, spec as last seen, JSON
    status     TEXT    NOT NULL DEFAULT '',   -- .status, JSON
    facts      TEXT    NOT NULL DEFAULT '',   -- what the story continues from, JSON
    PRIMARY KEY (kind, namespace, name)
) STRICT, WITHOUT ROWID;

-- What an object has applied, or is about to apply (wished = 0).
CREATE TABLE owned (
    kind              TEXT    NOT NULL,       -- of the owner: "Kustomization"
    namespace         TEXT    NOT NULL,       -- of the owner
    name              TEXT    NOT NULL,
    cluster           TEXT    NOT NULL,       -- where it was applied; '' = the cluster of the daemon itself
    id                TEXT    NOT NULL,       -- "<namespace>_<name>_<group>_<kind>"
    version           TEXT    NOT NULL,
    uid               TEXT    NOT NULL,
    resource_version  TEXT    NOT NULL,
    wished            INTEGER NOT NULL,
    fields            INTEGER NOT NULL,
    PRIMARY KEY (kind, namespace, name, cluster, id)
) STRICT, WITHOUT ROWID;

-- Records Azure has not acknowledged. AUTOINCREMENT: a sequence is never given out twice, and a rolled back
-- insert leaves no hole. last_at: when the state was seen last, Unix microseconds (0: observed_at); count: how often it
-- was entered or seen again.
CREATE TABLE outbox (
    sequence     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    stream       INTEGER NOT NULL,            -- 0 compliance, 1 object status
    record_id    TEXT    NOT NULL,
    observed_at  INTEGER NOT NULL,            -- Unix microseconds
    queued_at    INTEGER NOT NULL,            -- Unix microseconds
    fields       TEXT    NOT NULL             -- the other columns, JSON
, last_at INTEGER NOT NULL DEFAULT 0, count INTEGER NOT NULL DEFAULT 1) STRICT;

-- Each stream is read by itself: what one is refused for keeps nobody of the other waiting.
CREATE INDEX outbox_by_stream ON outbox (stream, sequence);

-- Records Azure refuses for what they are. Kept to be looked at; sent again only when somebody asks for it.
CREATE TABLE dead_letters (
    sequence     INTEGER NOT NULL PRIMARY KEY,
    stream       INTEGER NOT NULL,
    record_id    TEXT    NOT NULL,
    observed_at  INTEGER NOT NULL,
    fields       TEXT    NOT NULL,
    reason       TEXT    NOT NULL
) STRICT;

-- The last state recorded per subject, so that a repeat is counted and not sent. refused: the state that did not fit last,
-- so that each is counted once.
CREATE TABLE last_states (
    stream   INTEGER NOT NULL,
    subject  TEXT    NOT NULL,
    digest   TEXT    NOT NULL,
    repeats  INTEGER NOT NULL DEFAULT 0, refused TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (stream, subject)
) STRICT, WITHOUT ROWID;

-- Single numbers: 'refused' (records that did not fit), 'folded' (repeats), 'dead_dropped' (dead letters no longer kept),
-- 'site' (the id in every RecordId).
CREATE TABLE numbers (
    name   TEXT NOT NULL PRIMARY KEY,
    value  ANY  NOT NULL
) STRICT, WITHOUT ROWID;
