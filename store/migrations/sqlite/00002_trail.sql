-- +goose Up
-- The log becomes a Merkle tree. The rows of the old table move into it when the
-- database is opened (upgrade.go), and the table goes.
DROP INDEX decisions_tenant;
DROP INDEX decisions_subject;
DROP INDEX decisions_resource;
DROP INDEX decisions_request;
ALTER TABLE decisions RENAME TO decisions_old;
UPDATE log_head SET size = 0;
-- The roots of the complete subtrees that the tree is made of, largest first.
ALTER TABLE log_head ADD COLUMN frontier BLOB NOT NULL DEFAULT X'';

-- One row for the records of one commit, or for a part of them that is small
-- enough to be read for one record's sake. Their indexes are contiguous.
CREATE TABLE batches (
    first   INTEGER PRIMARY KEY,
    count   BIGINT NOT NULL,
    entries BLOB NOT NULL, -- 32 bytes each
    keys    BLOB NOT NULL, -- what lists and counts are made of
    bodies  BLOB NOT NULL  -- nonce and event of each
);

-- The nodes of levels 8, 16, 24 …; those between are made of these and of entries.
CREATE TABLE tree_nodes (
    level BIGINT NOT NULL,
    n     BIGINT NOT NULL,
    hash  BLOB NOT NULL,
    PRIMARY KEY (level, n)
) WITHOUT ROWID;

-- The keys that sign checkpoints, each sealed by the master secret.
CREATE TABLE log_keys (
    verifier   TEXT PRIMARY KEY, -- a vkey of C2SP signed-note
    sealed     BLOB NOT NULL, -- empty once it is destroyed
    created_at BIGINT NOT NULL,
    retired_at BIGINT -- when it ends, or ended, to sign
);

CREATE TABLE checkpoints (
    at        BIGINT PRIMARY KEY,
    origin    TEXT NOT NULL DEFAULT '', -- another one after each rollback
    size      BIGINT NOT NULL,
    root      BLOB NOT NULL,
    note      TEXT NOT NULL,
    witnesses BIGINT NOT NULL DEFAULT 0 -- how many have cosigned it
);
CREATE INDEX checkpoints_size ON checkpoints (origin, size);

-- How far those who follow the log have come.
CREATE TABLE cursors (
    name TEXT PRIMARY KEY,
    idx  BIGINT NOT NULL
);

-- How far the emptying of old records has come: one row.
CREATE TABLE retention (
    next     BIGINT NOT NULL, -- the oldest index that may still have its content
    reached  BIGINT NOT NULL, -- behind the last that was emptied
    reported BIGINT NOT NULL, -- where the range of the last report ended
    emptied  BIGINT NOT NULL, -- since then
    done_at  BIGINT,          -- when the last pass came to its end
    held_at  BIGINT           -- since when a pass waits that would empty too much at once
);
INSERT INTO retention (next, reached, reported, emptied) VALUES (0, 0, 0, 0);

-- Erasures that were asked for. person is emptied when one is done.
CREATE TABLE erasures (
    id           TEXT PRIMARY KEY, -- of the decision that allowed it
    tenant       TEXT NOT NULL REFERENCES tenants (id),
    person       TEXT NOT NULL,
    pseudonym    TEXT NOT NULL, -- stands for the person afterwards
    reason       TEXT NOT NULL,
    asked_by     TEXT NOT NULL,
    size         BIGINT NOT NULL, -- of the log when it was asked for
    position     BIGINT NOT NULL, -- how far it has come
    records      BIGINT NOT NULL, -- erased so far
    requested_at BIGINT NOT NULL,
    done_at      BIGINT
);
CREATE INDEX erasures_tenant ON erasures (tenant, requested_at, id);
CREATE INDEX erasures_open ON erasures (requested_at, id) WHERE done_at IS NULL;
