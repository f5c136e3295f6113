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
