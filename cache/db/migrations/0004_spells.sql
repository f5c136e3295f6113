-- 0004: repeats of a waiting record, a way into each stream, and what was refused. Don't change this file once released: add the next number.

ALTER TABLE outbox ADD COLUMN last_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
CREATE INDEX outbox_by_stream ON outbox (stream, sequence);
ALTER TABLE last_states ADD COLUMN refused TEXT NOT NULL DEFAULT '';
