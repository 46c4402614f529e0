package store

import "context"

// Resource is a server besides the tenant's own API that tokens can be for
// (RFC 8707). What may be registered is decided by oauth2.CheckResource, not
// here.
type Resource struct {
	Tenant     string `db:"tenant"`
	ID         string `db:"id"`
	URI        string `db:"uri"` // the audience of its tokens, as its server spells it
	Name       string `db:"name"`
	Scopes     Words  `db:"scopes"` // that its tokens may have
	Open       bool   `db:"open"`   // every client of the tenant may ask for it; else only those that name it
	CreatedAt  Time   `db:"created_at"`
	DisabledAt Time   `db:"disabled_at"` // not zero: no token is made for it
}

const resourceColumns = `tenant, id, uri, name, scopes, open, created_at, disabled_at`

// GetResource is one by its id, disabled or not.
func GetResource(ctx context.Context, r Reader, tenant, id string) (*Resource, error) {
	var s Resource
	if err := r.Get(ctx, &s, `SELECT `+resourceColumns+` FROM resources WHERE tenant = ? AND id = ?`, tenant, id); err != nil {
		return nil, err
	}
	return &s, nil
}

// ResourceAt is one by its URI or its other spelling, disabled or not; see
// [Tx.InsertResource].
func ResourceAt(ctx context.Context, r Reader, tenant, uri, other string) (*Resource, error) {
	var s Resource
	if err := r.Get(ctx, &s, `SELECT `+resourceColumns+` FROM resources WHERE tenant = ? AND uri IN (?, ?)`, tenant, uri, other); err != nil {
		return nil, err
	}
	return &s, nil
}

// Resources lists at most limit resources of a tenant by their ids, those after
// the given one.
func Resources(ctx context.Context, r Reader, tenant, after string, limit int) ([]Resource, error) {
	var out []Resource
	err := r.Select(ctx, &out, `SELECT `+resourceColumns+` FROM resources WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?`, tenant, after, limit)
	return out, err
}

// InsertResource adds one; ErrExists if its id or URI is taken. Where a URI has
// two spellings, the caller asks [ResourceAt] before, in the same write.
func (tx *Tx) InsertResource(ctx context.Context, s *Resource) error {
	_, err := tx.Exec(ctx, `INSERT INTO resources (`+resourceColumns+`) VALUES (?,?,?,?,?,?,?,?)`,
		s.Tenant, s.ID, s.URI, s.Name, s.Scopes, s.Open, s.CreatedAt, s.DisabledAt)
	return err
}

// UpdateResource writes what may change: name, scopes, open, disabled. The URI
// is in tokens, so it stays.
func (tx *Tx) UpdateResource(ctx context.Context, s *Resource) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE resources SET name = ?, scopes = ?, open = ?, disabled_at = ? WHERE tenant = ? AND id = ?`,
		s.Name, s.Scopes, s.Open, s.DisabledAt, s.Tenant, s.ID)
}

// DeleteResource removes one. Tokens for it live to their end: see
// [Tx.RevokeGrants] with an audience.
func (tx *Tx) DeleteResource(ctx context.Context, tenant, id string) error {
	return tx.ExecOne(ctx, ErrNotFound, `DELETE FROM resources WHERE tenant = ? AND id = ?`, tenant, id)
}
