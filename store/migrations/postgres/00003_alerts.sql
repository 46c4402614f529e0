-- +goose Up

-- Who does a thing that one node at a time should do.
CREATE TABLE leases (
    name   TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until  BIGINT NOT NULL
);

-- What a rule over a window of records found.
CREATE TABLE alerts (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    rule       TEXT NOT NULL,
    key        TEXT NOT NULL,
    severity   TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    title      TEXT NOT NULL,
    detail     TEXT NOT NULL,
    decisions  TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('open', 'acknowledged', 'closed')),
    count      BIGINT NOT NULL,
    evidence   BIGINT NOT NULL,
    raised_at  BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    changed_at BIGINT,
    changed_by TEXT NOT NULL
);
-- One of a kind at a time.
CREATE UNIQUE INDEX alerts_live ON alerts (tenant, rule, key) WHERE state <> 'closed';
CREATE INDEX alerts_key ON alerts (tenant, rule, key, evidence);
CREATE INDEX alerts_newest ON alerts (tenant, raised_at, id);
CREATE INDEX alerts_closed ON alerts (changed_at) WHERE state = 'closed';

-- The outbox.
CREATE TABLE mails (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    subject    TEXT NOT NULL,
    body       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    next_at    BIGINT,
    ended_at   BIGINT,
    sent       BOOLEAN NOT NULL,
    error      TEXT NOT NULL
);
CREATE INDEX mails_due ON mails (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX mails_kind ON mails (tenant, kind, created_at);
CREATE INDEX mails_ended ON mails (ended_at) WHERE ended_at IS NOT NULL;

-- +goose Down
DROP TABLE mails; DROP TABLE alerts; DROP TABLE leases;
