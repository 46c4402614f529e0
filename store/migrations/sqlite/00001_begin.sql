-- +goose Up

-- One row: how many records the decision log has. Every group of writes locks it first.
CREATE TABLE log_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    size BIGINT NOT NULL
);
INSERT INTO log_head (one, size) VALUES (1, 0);

CREATE TABLE decisions (
    idx        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    at         BIGINT NOT NULL,
    tenant     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    client     TEXT NOT NULL,
    action     TEXT NOT NULL,
    resource   TEXT NOT NULL,
    allow      BOOLEAN NOT NULL,
    code       TEXT NOT NULL,
    status     BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    body       BLOB NOT NULL
);
CREATE INDEX decisions_tenant ON decisions (tenant, idx);
CREATE INDEX decisions_subject ON decisions (tenant, subject, idx);
CREATE INDEX decisions_resource ON decisions (tenant, resource, idx);
CREATE INDEX decisions_request ON decisions (tenant, request_id, idx);

-- What this installation is: demo, and marks that later versions add.
CREATE TABLE marks (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE tenants (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    issuer      TEXT NOT NULL UNIQUE,
    hostnames   TEXT NOT NULL,
    home        BOOLEAN NOT NULL,
    created_at  BIGINT NOT NULL,
    disabled_at BIGINT
);

-- Customers and staff.
CREATE TABLE users (
    tenant        TEXT NOT NULL REFERENCES tenants (id),
    id            TEXT NOT NULL,
    type          TEXT NOT NULL CHECK (type IN ('customer', 'staff')),
    email         TEXT NOT NULL,
    name          TEXT NOT NULL,
    roles         TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    disabled_at   BIGINT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, email)
);

CREATE TABLE setup_links (
    hash       BLOB PRIMARY KEY,
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);

CREATE TABLE sessions (
    hash         BLOB PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    tenant       TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    ended_at     BIGINT,
    amr          TEXT NOT NULL,
    ip           TEXT NOT NULL,
    user_agent   TEXT NOT NULL,
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id)
);
CREATE INDEX sessions_user ON sessions (tenant, user_id, created_at);

CREATE TABLE clients (
    tenant        TEXT NOT NULL REFERENCES tenants (id),
    id            TEXT NOT NULL,
    name          TEXT NOT NULL,
    public        BOOLEAN NOT NULL,
    trusted       BOOLEAN NOT NULL,
    redirect_uris TEXT NOT NULL,
    grant_types   TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    origins       TEXT NOT NULL,
    introspects   TEXT NOT NULL,
    refresh_grace BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    disabled_at   BIGINT,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE client_secrets (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    hash       BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, id) ON DELETE CASCADE
);
CREATE INDEX client_secrets_client ON client_secrets (tenant, client_id);

-- An authorization: what a person (or, for client_credentials, the client itself) let a client do.
CREATE TABLE grants (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    client_id    TEXT NOT NULL,
    subject_type TEXT NOT NULL CHECK (subject_type IN ('customer', 'staff', 'client')),
    subject      TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    auth_time    BIGINT,
    amr          TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    revoked_at   BIGINT,
    revoked_by   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX grants_subject ON grants (tenant, subject, created_at);
CREATE INDEX grants_client ON grants (tenant, client_id, created_at);
CREATE INDEX grants_expires ON grants (expires_at);

CREATE TABLE codes (
    hash             BLOB PRIMARY KEY,
    flow             TEXT NOT NULL UNIQUE,
    grant_id         TEXT NOT NULL REFERENCES grants (id),
    tenant           TEXT NOT NULL,
    client_id        TEXT NOT NULL,
    redirect_uri     TEXT NOT NULL,
    challenge        TEXT NOT NULL,
    requested_scopes TEXT NOT NULL,
    scopes           TEXT NOT NULL,
    audience         TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    used_at          BIGINT
);
CREATE INDEX codes_expires ON codes (expires_at);
CREATE INDEX codes_grant ON codes (grant_id);

CREATE TABLE access_tokens (
    hash       BLOB PRIMARY KEY,
    grant_id   TEXT NOT NULL REFERENCES grants (id),
    tenant     TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    audience   TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX access_tokens_grant ON access_tokens (grant_id);
CREATE INDEX access_tokens_expires ON access_tokens (expires_at);

CREATE TABLE refresh_tokens (
    hash          BLOB PRIMARY KEY,
    grant_id      TEXT NOT NULL REFERENCES grants (id),
    tenant        TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    audience      TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    used_at       BIGINT,
    next_hash     BLOB,            -- the refresh token that replaced it
    successor     BLOB,            -- the answer that replaced it, sealed; emptied when the grace is over
    grace_ends_at BIGINT,
    kept_until    BIGINT NOT NULL   -- the end of the grant: so long a reuse is noticed
);
CREATE INDEX refresh_tokens_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_kept ON refresh_tokens (kept_until);
CREATE INDEX refresh_tokens_sealed ON refresh_tokens (grace_ends_at) WHERE successor IS NOT NULL;

-- API keys of clients (pgk_) and API tokens of people (pgt_).
CREATE TABLE api_keys (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('key', 'token')),
    name         TEXT NOT NULL,
    client_id    TEXT NOT NULL,     -- of a key
    user_id      TEXT NOT NULL,     -- of a token
    hash         BLOB NOT NULL,
    scopes       TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    last_used_at BIGINT
);
CREATE INDEX api_keys_tenant ON api_keys (tenant, kind, id);

CREATE TABLE idempotency_keys (
    tenant      TEXT NOT NULL,
    client      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    route       TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    status      BIGINT NOT NULL,
    body        BLOB NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, client, subject, route, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

-- Points. available + held is the balance, and the sum of the customer's ledger lines.
CREATE TABLE accounts (
    tenant          TEXT NOT NULL,
    customer_id     TEXT NOT NULL,
    available       BIGINT NOT NULL CHECK (available >= 0),
    held            BIGINT NOT NULL CHECK (held >= 0),
    lifetime_earned BIGINT NOT NULL CHECK (lifetime_earned >= 0),
    PRIMARY KEY (tenant, customer_id),
    FOREIGN KEY (tenant, customer_id) REFERENCES users (tenant, id)
);

-- Append only: nothing updates or deletes a line.
CREATE TABLE ledger (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT NOT NULL UNIQUE,
    tenant        TEXT NOT NULL,
    customer_id   TEXT NOT NULL,
    type          TEXT NOT NULL,
    points        BIGINT NOT NULL CHECK (points <> 0),
    balance_after BIGINT NOT NULL CHECK (balance_after >= 0),
    reason        TEXT NOT NULL,
    internal_note TEXT NOT NULL,
    actor_type    TEXT NOT NULL,
    actor         TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    request_id    TEXT NOT NULL,
    decision_id   TEXT NOT NULL,
    related_id    TEXT NOT NULL,    -- the other line of a transfer, the hold of a capture, the line that a reverse reverses
    reverses      TEXT UNIQUE,      -- the same line, only on a reverse: a line is reversed once
    created_at    BIGINT NOT NULL,
    effective_at  BIGINT NOT NULL,
    expires_at    BIGINT,
    FOREIGN KEY (tenant, customer_id) REFERENCES accounts (tenant, customer_id)
);
CREATE INDEX ledger_customer ON ledger (tenant, customer_id, seq);
-- What one member of staff moved by hand today.
CREATE INDEX ledger_by_hand ON ledger (tenant, actor, created_at) WHERE type IN ('adjust', 'reverse');

-- What is left of what came in, spent first in, first out. What comes in one after the other with one expiry is one lot.
CREATE TABLE lots (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant      TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    points      BIGINT NOT NULL,
    remaining   BIGINT NOT NULL CHECK (remaining >= 0 AND remaining <= points),
    expires_at  BIGINT,
    FOREIGN KEY (tenant, customer_id) REFERENCES accounts (tenant, customer_id)
);
-- Only of open lots, so that no plan ever walks through those that are spent.
CREATE INDEX lots_open ON lots (tenant, customer_id, seq) WHERE remaining > 0;
CREATE INDEX lots_due ON lots (tenant, expires_at) WHERE remaining > 0 AND expires_at IS NOT NULL;
CREATE INDEX lots_expiring ON lots (tenant, customer_id, expires_at) WHERE remaining > 0 AND expires_at IS NOT NULL;
CREATE INDEX lots_alike ON lots (tenant, customer_id, COALESCE(expires_at, 0), seq) WHERE remaining > 0;

-- Which lots a ledger line put its points in. For each lot: points = the sum of its gains.
CREATE TABLE lot_gains (
    line_id TEXT NOT NULL,
    lot     BIGINT NOT NULL REFERENCES lots (seq),
    points  BIGINT NOT NULL CHECK (points > 0),
    PRIMARY KEY (line_id, lot)
);

-- Which lots a ledger line or an open hold took its points from, so that they can go back there.
-- For each lot: points = remaining + the sum of its uses.
CREATE TABLE lot_uses (
    used_by TEXT NOT NULL,
    lot     BIGINT NOT NULL REFERENCES lots (seq),
    points  BIGINT NOT NULL CHECK (points > 0),
    PRIMARY KEY (used_by, lot)
);

CREATE TABLE holds (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    points      BIGINT NOT NULL CHECK (points > 0),
    captured    BIGINT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('held', 'captured', 'released', 'expired')),
    reason      TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    FOREIGN KEY (tenant, customer_id) REFERENCES accounts (tenant, customer_id)
);
CREATE INDEX holds_due ON holds (tenant, expires_at) WHERE status = 'held';
CREATE INDEX holds_customer ON holds (tenant, customer_id, created_at);

-- +goose Down
DROP TABLE holds; DROP TABLE lot_uses; DROP TABLE lot_gains; DROP TABLE lots; DROP TABLE ledger; DROP TABLE accounts;
DROP TABLE idempotency_keys; DROP TABLE api_keys; DROP TABLE refresh_tokens; DROP TABLE access_tokens;
DROP TABLE codes; DROP TABLE grants; DROP TABLE client_secrets; DROP TABLE clients; DROP TABLE sessions;
DROP TABLE setup_links; DROP TABLE users; DROP TABLE tenants; DROP TABLE marks; DROP TABLE decisions; DROP TABLE log_head;
