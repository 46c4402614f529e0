package store

import "context"

// Client is an application that may ask for tokens (RFC 6749 §2). What may be
// registered is decided by oauth2.CheckClient, not here.
type Client struct {
	Tenant       string `db:"tenant"`
	ID           string `db:"id"` // never the id of a person of the tenant (RFC 9700 §4.15)
	Name         string `db:"name"`
	Public       bool   `db:"public"`        // it can't keep a secret, so it has none
	Trusted      bool   `db:"trusted"`       // it may act on any customer of its tenant
	RedirectURIs Words  `db:"redirect_uris"` // compared as strings, but for the port of loopback addresses
	GrantTypes   Words  `db:"grant_types"`   // authorization_code, refresh_token, client_credentials
	Scopes       Words  `db:"scopes"`        // that it may ask for
	Origins      Words  `db:"origins"`       // of its pages, for CORS
	Introspects  Words  `db:"introspects"`   // the audiences whose tokens it may introspect
	RefreshGrace int64  `db:"refresh_grace"` // seconds in which a used refresh token still gets its successor
	RefreshIdle  int64  `db:"refresh_idle"`  // seconds that a refresh token lives if it is not used; 0: the default
	RefreshMost  int64  `db:"refresh_most"`  // seconds that a grant with refresh tokens lives; 0: the default
	CreatedAt    Time   `db:"created_at"`
	DisabledAt   Time   `db:"disabled_at"` // not zero: it is refused, and so are its tokens

	AuthMethod  string `db:"auth_method"`  // at the token endpoint, by its name in RFC 7591; empty: a secret, however it is sent
	JWKS        string `db:"jwks"`         // its public keys (RFC 7517), for assertions and self-signed certificates
	JWKSURI     string `db:"jwks_uri"`     // or where they are
	TLSSubject  string `db:"tls_subject"`  // of its certificate, for tls_client_auth: dn:, dns:, uri:, ip: or email: and the value (RFC 8705 §2.1.2)
	Bound       string `db:"bound"`        // what its tokens must be bound to: dpop, mtls, or nothing
	RequirePAR  bool   `db:"require_par"`  // it must push its authorization requests (RFC 9126 §5)
	TokenFormat string `db:"token_format"` // of access tokens: jwt (RFC 9068), or empty: opaque
	SigningAlg  string `db:"signing_alg"`  // of its JWTs, by RFC 7518: ES256, RS256, EdDSA; empty: ES256
	Resources   Words  `db:"resources"`    // the audiences that it may ask for besides the tenant's API (RFC 8707)

	LogoutURIs     Words  `db:"logout_uris"`     // where the browser may go after a logout (OpenID Connect RP-Initiated Logout)
	BackchannelURI string `db:"backchannel_uri"` // that is told of logouts (OpenID Connect Back-Channel Logout)
	Homepage       string `db:"homepage"`        // that people can look at (client_uri)

	RegisteredBy     string `db:"registered_by"`     // admin, developer, dynamic or document
	Owner            string `db:"owner"`             // of a developer's: their user id
	RegistrationHash []byte `db:"registration_hash"` // of its registration access token (RFC 7592)
	FreshUntil       Time   `db:"fresh_until"`       // of a document: then it is to be read again
}

const clientColumns = `tenant, id, name, public, trusted, redirect_uris, grant_types, scopes, origins, introspects, refresh_grace,
	refresh_idle, refresh_most, created_at, disabled_at, auth_method, jwks, jwks_uri, tls_subject, bound, require_par, token_format,
	signing_alg, resources, logout_uris, backchannel_uri, homepage, registered_by, owner, registration_hash, fresh_until`

// GetClient is one by its id, disabled or not.
func GetClient(ctx context.Context, r Reader, tenant, id string) (*Client, error) {
	var c Client
	if err := r.Get(ctx, &c, `SELECT `+clientColumns+` FROM clients WHERE tenant = ? AND id = ?`, tenant, id); err != nil {
		return nil, err
	}
	return &c, nil
}

// Clients lists at most limit clients of a tenant by their ids, those after the
// given one.
func Clients(ctx context.Context, r Reader, tenant, after string, limit int) ([]Client, error) {
	var out []Client
	err := r.Select(ctx, &out, `SELECT `+clientColumns+` FROM clients WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?`, tenant, after, limit)
	return out, err
}

// InsertClient adds one; ErrExists if a client or a person has its id.
func (tx *Tx) InsertClient(ctx context.Context, c *Client) error {
	var persons int
	if err := tx.Get(ctx, &persons, `SELECT COUNT(*) FROM users WHERE tenant = ? AND id = ?`, c.Tenant, c.ID); err != nil {
		return err
	}
	if persons > 0 {
		return ErrExists // a token of the client would look like one of the person
	}
	by := c.RegisteredBy
	if by == "" {
		by = "admin"
	}
	_, err := tx.Exec(ctx, `INSERT INTO clients (`+clientColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		c.Tenant, c.ID, c.Name, c.Public, c.Trusted, c.RedirectURIs, c.GrantTypes, c.Scopes, c.Origins, c.Introspects, c.RefreshGrace,
		c.RefreshIdle, c.RefreshMost, c.CreatedAt, c.DisabledAt, c.AuthMethod, c.JWKS, c.JWKSURI, c.TLSSubject, c.Bound, c.RequirePAR, c.TokenFormat,
		c.SigningAlg, c.Resources, c.LogoutURIs, c.BackchannelURI, c.Homepage, by, c.Owner, c.RegistrationHash, c.FreshUntil)
	return err
}

// UpdateClient writes all that may change: everything but tenant, id, public,
// created_at, registered_by and owner. Where its redirect URIs change, what
// people consented to is forgotten: the answers go elsewhere now. ErrNotFound if
// there is no such client.
func (tx *Tx) UpdateClient(ctx context.Context, c *Client) error {
	if _, err := tx.Exec(ctx, `DELETE FROM consents WHERE tenant = ? AND client_id = ?
		AND EXISTS (SELECT 1 FROM clients WHERE tenant = ? AND id = ? AND redirect_uris <> ?)`, c.Tenant, c.ID, c.Tenant, c.ID, c.RedirectURIs); err != nil {
		return err
	}
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE clients SET name = ?, trusted = ?, redirect_uris = ?, grant_types = ?, scopes = ?,
			origins = ?, introspects = ?, refresh_grace = ?, refresh_idle = ?, refresh_most = ?, disabled_at = ?, auth_method = ?, jwks = ?,
			jwks_uri = ?, tls_subject = ?, bound = ?, require_par = ?, token_format = ?, signing_alg = ?, resources = ?, logout_uris = ?,
			backchannel_uri = ?, homepage = ?, registration_hash = ?, fresh_until = ? WHERE tenant = ? AND id = ?`,
		c.Name, c.Trusted, c.RedirectURIs, c.GrantTypes, c.Scopes, c.Origins, c.Introspects, c.RefreshGrace, c.RefreshIdle, c.RefreshMost,
		c.DisabledAt, c.AuthMethod, c.JWKS, c.JWKSURI, c.TLSSubject, c.Bound, c.RequirePAR, c.TokenFormat, c.SigningAlg, c.Resources,
		c.LogoutURIs, c.BackchannelURI, c.Homepage, c.RegistrationHash, c.FreshUntil, c.Tenant, c.ID)
}

// DisableClient refuses the client and its tokens until [Tx.UpdateClient]
// clears DisabledAt. Disabling twice keeps the first time.
func (tx *Tx) DisableClient(ctx context.Context, tenant, id string) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE clients SET disabled_at = COALESCE(disabled_at, ?) WHERE tenant = ? AND id = ?`, tx.Now(), tenant, id)
}

// DeleteClient removes a client with its secrets, revokes its grants and API
// keys, and forgets what people consented to: a client that is made later under the same id must not inherit them.
func (tx *Tx) DeleteClient(ctx context.Context, tenant, id, by string) error {
	if _, _, err := tx.RevokeGrants(ctx, GrantMatch{Tenant: tenant, Client: id}, by); err != nil {
		return err
	}
	if _, err := tx.RevokeAPIKeys(ctx, APIKeyMatch{Tenant: tenant, Client: id}); err != nil {
		return err
	}
	if err := tx.Forget(ctx, ConsentMatch{Tenant: tenant, Client: id}); err != nil {
		return err
	}
	return tx.ExecOne(ctx, ErrNotFound, `DELETE FROM clients WHERE tenant = ? AND id = ?`, tenant, id)
}

// ClientSecret is one of a client's secrets, of which several may live at a
// time so that one can be replaced without a gap.
type ClientSecret struct {
	ID        string `db:"id"` // its public name
	Tenant    string `db:"tenant"`
	ClientID  string `db:"client_id"`
	Hash      []byte `db:"hash"` // see oauth2.HashSecret
	CreatedAt Time   `db:"created_at"`
	ExpiresAt Time   `db:"expires_at"` // zero: it doesn't
}

// ClientSecrets lists a client's secrets, the expired ones too, oldest first.
func ClientSecrets(ctx context.Context, r Reader, tenant, client string) ([]ClientSecret, error) {
	var out []ClientSecret
	err := r.Select(ctx, &out, `SELECT id, tenant, client_id, hash, created_at, expires_at FROM client_secrets
		WHERE tenant = ? AND client_id = ? ORDER BY created_at, id`, tenant, client)
	return out, err
}

// maxClientSecrets of a client live at a time: whoever claims to be it, without
// proof, is compared with each.
const maxClientSecrets = 10

// InsertClientSecret adds one in place of those that have ended; ErrExists if its
// id is taken, a [Conflict] if too many live.
func (tx *Tx) InsertClientSecret(ctx context.Context, s *ClientSecret) error {
	if _, err := tx.Exec(ctx, `DELETE FROM client_secrets WHERE tenant = ? AND client_id = ? AND expires_at <= ?`, s.Tenant, s.ClientID, tx.Now()); err != nil {
		return err
	}
	var live int
	if err := tx.Get(ctx, &live, `SELECT COUNT(*) FROM client_secrets WHERE tenant = ? AND client_id = ?`, s.Tenant, s.ClientID); err != nil {
		return err
	}
	if live >= maxClientSecrets {
		return &Conflict{Code: "conflict", Detail: "Too many secrets of this client still work. Let the old ones end at once, or wait until they do."}
	}
	_, err := tx.Exec(ctx, `INSERT INTO client_secrets (id, tenant, client_id, hash, created_at, expires_at) VALUES (?,?,?,?,?,?)`,
		s.ID, s.Tenant, s.ClientID, s.Hash, s.CreatedAt, s.ExpiresAt)
	return err
}

// ExpireClientSecrets lets the client's secrets end at that time, where they
// would live longer: before the new one is inserted, it begins the overlap of a
// rotation; at the present time it refuses them at once.
func (tx *Tx) ExpireClientSecrets(ctx context.Context, tenant, client string, at Time) (int64, error) {
	return tx.Exec(ctx, `UPDATE client_secrets SET expires_at = ? WHERE tenant = ? AND client_id = ? AND (expires_at IS NULL OR expires_at > ?)`,
		at, tenant, client, at)
}
