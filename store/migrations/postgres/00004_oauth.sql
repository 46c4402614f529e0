-- +goose Up

-- What a tenant lets strangers register: off, token or open (RFC 7591), and whether a client may be a document (CIMD).
ALTER TABLE tenants ADD COLUMN registration TEXT NOT NULL DEFAULT 'off';
ALTER TABLE tenants ADD COLUMN client_documents BOOLEAN NOT NULL DEFAULT FALSE;
-- The schemes of native apps that clients may register by themselves.
ALTER TABLE tenants ADD COLUMN app_schemes TEXT NOT NULL DEFAULT '';

-- How a client proves who it is, what its tokens look like, and who registered it.
ALTER TABLE clients ADD COLUMN auth_method TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN jwks TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN jwks_uri TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN tls_subject TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN bound TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN require_par BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE clients ADD COLUMN token_format TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN signing_alg TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN resources TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN refresh_idle BIGINT NOT NULL DEFAULT 0;
ALTER TABLE clients ADD COLUMN refresh_most BIGINT NOT NULL DEFAULT 0;
ALTER TABLE clients ADD COLUMN logout_uris TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN backchannel_uri TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN homepage TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN registered_by TEXT NOT NULL DEFAULT 'admin';
ALTER TABLE clients ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN registration_hash BYTEA;
-- Until when what was read of a client's document is good.
ALTER TABLE clients ADD COLUMN fresh_until BIGINT;
CREATE INDEX clients_registered ON clients (registered_by, tenant, created_at) WHERE registered_by IN ('dynamic', 'document');
CREATE INDEX clients_owner ON clients (tenant, owner) WHERE owner <> '';

-- What tokens can be for besides the tenant's own API (RFC 8707).
CREATE TABLE resources (
    tenant      TEXT NOT NULL REFERENCES tenants (id),
    id          TEXT NOT NULL,
    uri         TEXT NOT NULL,
    name        TEXT NOT NULL,
    scopes      TEXT NOT NULL,
    open        BOOLEAN NOT NULL,
    created_at  BIGINT NOT NULL,
    disabled_at BIGINT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, uri)
);

-- What a person has allowed a client, so that they are asked again only where it wants more.
CREATE TABLE consents (
    tenant     TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    audience   TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, user_id, client_id, audience)
);
CREATE INDEX consents_client ON consents (tenant, client_id);

ALTER TABLE grants ADD COLUMN audience TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
-- The grant whose token was exchanged for this one's (RFC 8693): it dies with it.
ALTER TABLE grants ADD COLUMN parent_id TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN actor TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN last_used_at BIGINT;
ALTER TABLE grants ADD COLUMN last_ip TEXT NOT NULL DEFAULT '';
CREATE INDEX grants_parent ON grants (parent_id) WHERE parent_id <> '';
-- What clients took or exchanged goes soon, what people gave stays in their lists: each has an index to be removed by.
DROP INDEX grants_expires;
CREATE INDEX grants_own_expires ON grants (expires_at) WHERE (subject_type = 'client' OR parent_id <> '');
CREATE INDEX grants_given_expires ON grants (expires_at) WHERE subject_type <> 'client' AND parent_id = '';
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE INDEX grants_session ON grants (session_id) WHERE session_id <> '';

-- cnf is what a token is bound to: dpop:<jkt> (RFC 9449), x5t:<thumbprint> (RFC 8705), or nothing.
ALTER TABLE codes ADD COLUMN nonce TEXT NOT NULL DEFAULT '';
ALTER TABLE codes ADD COLUMN cnf TEXT NOT NULL DEFAULT '';
ALTER TABLE access_tokens ADD COLUMN cnf TEXT NOT NULL DEFAULT '';
ALTER TABLE refresh_tokens ADD COLUMN cnf TEXT NOT NULL DEFAULT '';

-- Authorization requests that were pushed (RFC 9126).
CREATE TABLE pushed_requests (
    hash       BYTEA PRIMARY KEY,
    tenant     TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    form       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX pushed_requests_expires ON pushed_requests (expires_at);

-- Device authorizations (RFC 8628).
CREATE TABLE device_codes (
    hash           BYTEA PRIMARY KEY,
    user_code_hash BYTEA NOT NULL UNIQUE,
    tenant         TEXT NOT NULL,
    client_id      TEXT NOT NULL,
    scopes         TEXT NOT NULL,
    audience       TEXT NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'denied')),
    grant_id       TEXT NOT NULL,
    granted        TEXT NOT NULL,
    poll_interval  BIGINT NOT NULL,
    polled_at      BIGINT,
    ip             TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT
);
CREATE INDEX device_codes_expires ON device_codes (expires_at);

-- What may be shown once: proofs, assertions. The key is a hash of kind, issuer and jti.
CREATE TABLE replays (
    key        BYTEA PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX replays_expires ON replays (expires_at);

-- Keys that sign tokens; the private half is sealed.
CREATE TABLE signing_keys (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    alg        TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    sealed     BYTEA,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    retired_at BIGINT,
    ends_at    BIGINT
);
CREATE INDEX signing_keys_tenant ON signing_keys (tenant, alg, created_at);
CREATE INDEX signing_keys_ends ON signing_keys (ends_at);

-- Initial access tokens for registration (RFC 7591 section 3).
CREATE TABLE registration_tokens (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    name       TEXT NOT NULL,
    hash       BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    used       BIGINT NOT NULL,
    most       BIGINT NOT NULL
);

-- Logout tokens that clients are still to be sent (OpenID Connect Back-Channel Logout).
CREATE TABLE logouts (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    uri        TEXT NOT NULL,
    subject    TEXT NOT NULL,
    session_id TEXT NOT NULL,
    tries      BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    next_at    BIGINT NOT NULL
);
CREATE INDEX logouts_next ON logouts (next_at);

-- +goose Down
DROP TABLE logouts; DROP TABLE registration_tokens; DROP TABLE signing_keys; DROP TABLE replays; DROP TABLE device_codes;
DROP TABLE pushed_requests; DROP TABLE consents; DROP TABLE resources;
DROP INDEX grants_own_expires; DROP INDEX grants_given_expires; DROP INDEX sessions_expires;
CREATE INDEX grants_expires ON grants (expires_at);
DROP INDEX clients_owner; DROP INDEX clients_registered; DROP INDEX grants_parent; DROP INDEX grants_session;
ALTER TABLE tenants DROP COLUMN registration;
ALTER TABLE tenants DROP COLUMN client_documents;
ALTER TABLE tenants DROP COLUMN app_schemes;
ALTER TABLE clients DROP COLUMN auth_method;
ALTER TABLE clients DROP COLUMN jwks;
ALTER TABLE clients DROP COLUMN jwks_uri;
ALTER TABLE clients DROP COLUMN tls_subject;
ALTER TABLE clients DROP COLUMN bound;
ALTER TABLE clients DROP COLUMN require_par;
ALTER TABLE clients DROP COLUMN token_format;
ALTER TABLE clients DROP COLUMN signing_alg;
ALTER TABLE clients DROP COLUMN resources;
ALTER TABLE clients DROP COLUMN refresh_idle;
ALTER TABLE clients DROP COLUMN refresh_most;
ALTER TABLE clients DROP COLUMN logout_uris;
ALTER TABLE clients DROP COLUMN backchannel_uri;
ALTER TABLE clients DROP COLUMN homepage;
ALTER TABLE clients DROP COLUMN registered_by;
ALTER TABLE clients DROP COLUMN owner;
ALTER TABLE clients DROP COLUMN registration_hash;
ALTER TABLE clients DROP COLUMN fresh_until;
ALTER TABLE grants DROP COLUMN audience;
ALTER TABLE grants DROP COLUMN session_id;
ALTER TABLE grants DROP COLUMN parent_id;
ALTER TABLE grants DROP COLUMN actor;
ALTER TABLE grants DROP COLUMN last_used_at;
ALTER TABLE grants DROP COLUMN last_ip;
ALTER TABLE codes DROP COLUMN nonce;
ALTER TABLE codes DROP COLUMN cnf;
ALTER TABLE access_tokens DROP COLUMN cnf;
ALTER TABLE refresh_tokens DROP COLUMN cnf;
