package store

import "context"

// The kinds of [APIKey].
const (
	KindKey   = "key"   // of a client: pgk_…
	KindToken = "token" // of a person: pgt_…
)

// APIKey is a long-lived credential that is not bound to a grant: a client's
// key or a person's token. The row has the SHA-256 of the whole secret.
type APIKey struct {
	ID         string `db:"id"`
	Tenant     string `db:"tenant"`
	Kind       string `db:"kind"` // KindKey or KindToken
	Name       string `db:"name"`
	ClientID   string `db:"client_id"` // of a key; else empty
	UserID     string `db:"user_id"`   // of a token; else empty
	Hash       []byte `db:"hash"`
	Scopes     Words  `db:"scopes"`
	CreatedAt  Time   `db:"created_at"`
	ExpiresAt  Time   `db:"expires_at"` // zero: never
	RevokedAt  Time   `db:"revoked_at"`
	LastUsedAt Time   `db:"last_used_at"` // coarse: see [Tx.TouchAPIKey]
}

const apiKeyColumns = `id, tenant, kind, name, client_id, user_id, hash, scopes, created_at, expires_at, revoked_at, last_used_at`

// KeyHolder is an API key with what its client or person is today.
type KeyHolder struct {
	APIKey
	Trusted        bool   `db:"trusted"`         // of the client
	ClientScopes   Words  `db:"client_scopes"`   // of the client
	UserType       string `db:"user_type"`       // of the person: customer or staff
	Roles          Words  `db:"roles"`           // of the person
	HolderThere    bool   `db:"holder_there"`    // the client or person still exists
	HolderDisabled Time   `db:"holder_disabled"` // zero: not disabled
}

// HolderOf finds an API key by its id, in whatever state, and its holder, in
// one query: it runs for every request that carries one.
func (db *DB) HolderOf(ctx context.Context, id string) (*KeyHolder, error) {
	var h KeyHolder
	err := db.Get(ctx, &h, `SELECT k.id, k.tenant, k.kind, k.name, k.client_id, k.user_id, k.hash, k.scopes,
			k.created_at, k.expires_at, k.revoked_at, k.last_used_at,
			COALESCE(c.trusted, FALSE) AS trusted, COALESCE(c.scopes, '') AS client_scopes,
			COALESCE(u.type, '') AS user_type, COALESCE(u.roles, '') AS roles,
			(c.id IS NOT NULL OR u.id IS NOT NULL) AS holder_there,
			COALESCE(c.disabled_at, u.disabled_at) AS holder_disabled
		FROM api_keys k
		LEFT JOIN clients c ON k.kind = 'key' AND c.tenant = k.tenant AND c.id = k.client_id
		LEFT JOIN users u ON k.kind = 'token' AND u.tenant = k.tenant AND u.id = k.user_id
		WHERE k.id = ?`, id)
	if err != nil {
		return nil, err
	}
	return &h, nil
}

// GetAPIKey is one by its id; ErrNotFound also for another tenant's.
func GetAPIKey(ctx context.Context, r Reader, tenant, id string) (*APIKey, error) {
	var k APIKey
	if err := r.Get(ctx, &k, `SELECT `+apiKeyColumns+` FROM api_keys WHERE id = ? AND tenant = ?`, id, tenant); err != nil {
		return nil, err
	}
	return &k, nil
}

// APIKeyFilter narrows a list; zero fields do not.
type APIKeyFilter struct {
	Tenant string // always set
	Kind   string
	Client string
	User   string
	LiveAt Time   // only those that are neither revoked nor at their end then
	After  string // the id of the last one seen
	Limit  int
}

// APIKeys lists keys by their ids.
func APIKeys(ctx context.Context, r Reader, f APIKeyFilter) ([]APIKey, error) {
	w := where{}
	w.and(`tenant = ?`, f.Tenant)
	w.andIf(f.Kind != "", `kind = ?`, f.Kind)
	w.andIf(f.Client != "", `client_id = ?`, f.Client)
	w.andIf(f.User != "", `user_id = ?`, f.User)
	if !f.LiveAt.IsZero() {
		w.terms = append(w.terms, `revoked_at IS NULL`)
		w.and(`(expires_at IS NULL OR expires_at > ?)`, f.LiveAt)
	}
	w.andIf(f.After != "", `id > ?`, f.After)
	var out []APIKey
	err := r.Select(ctx, &out, `SELECT `+apiKeyColumns+` FROM api_keys`+w.String()+` ORDER BY id LIMIT ?`, append(w.args, f.Limit)...)
	return out, err
}

// InsertAPIKey adds one.
func (tx *Tx) InsertAPIKey(ctx context.Context, k *APIKey) error {
	_, err := tx.Exec(ctx, `INSERT INTO api_keys (`+apiKeyColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`,
		k.ID, k.Tenant, k.Kind, k.Name, k.ClientID, k.UserID, k.Hash, k.Scopes, k.CreatedAt, k.ExpiresAt, k.RevokedAt, k.LastUsedAt)
	return err
}

// UpdateAPIKey changes what may change: name, scopes, expiry. ErrNotFound if
// there is no such key or it is revoked.
func (tx *Tx) UpdateAPIKey(ctx context.Context, k *APIKey) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE api_keys SET name = ?, scopes = ?, expires_at = ? WHERE id = ? AND tenant = ? AND revoked_at IS NULL`,
		k.Name, k.Scopes, k.ExpiresAt, k.ID, k.Tenant)
}

// TouchAPIKey notes a use at the time at, unless one since was is noted
// already: of several requests at once, one writes.
func (tx *Tx) TouchAPIKey(ctx context.Context, id string, was, at Time) error {
	_, err := tx.Exec(ctx, `UPDATE api_keys SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)`, at, id, was)
	return err
}

// RevokeAPIKey revokes one; ErrNotFound if there is no such key or it is
// revoked already.
func (tx *Tx) RevokeAPIKey(ctx context.Context, tenant, id string) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE api_keys SET revoked_at = ? WHERE id = ? AND tenant = ? AND revoked_at IS NULL`, tx.Now(), id, tenant)
}

// APIKeyMatch says which keys [Tx.RevokeAPIKeys] revokes; zero fields do not narrow.
type APIKeyMatch struct {
	Tenant string // always set
	Client string
	User   string
	Before Time // only those made before it
}

// RevokeAPIKeys revokes all live keys that match, and returns how many.
func (tx *Tx) RevokeAPIKeys(ctx context.Context, m APIKeyMatch) (int64, error) {
	w := where{terms: []string{`revoked_at IS NULL`}}
	w.and(`tenant = ?`, m.Tenant)
	w.andIf(m.Client != "", `client_id = ?`, m.Client)
	w.andIf(m.User != "", `user_id = ?`, m.User)
	w.andIf(!m.Before.IsZero(), `created_at < ?`, m.Before)
	return tx.Exec(ctx, `UPDATE api_keys SET revoked_at = ?`+w.String(), append([]any{tx.Now()}, w.args...)...)
}
