package store

import "context"

// SetupLink lets whoever holds its secret make one administrator of a tenant,
// once. The row has the secret's SHA-256.
type SetupLink struct {
	Hash      []byte `db:"hash"`
	Tenant    string `db:"tenant"`
	ExpiresAt Time   `db:"expires_at"`
	UsedAt    Time   `db:"used_at"`
}

// SetupLinkByHash finds a link of the tenant that is good at now; ErrNotFound
// for one that was used, is too old, or belongs to another tenant.
func (db *DB) SetupLinkByHash(ctx context.Context, tenant string, hash []byte, now Time) (*SetupLink, error) {
	var l SetupLink
	err := db.Get(ctx, &l, `SELECT hash, tenant, expires_at, used_at FROM setup_links
		WHERE hash = ? AND tenant = ? AND used_at IS NULL AND expires_at > ?`, hash, tenant, now)
	if err != nil {
		return nil, err
	}
	return &l, nil
}

// InsertSetupLink adds a link, and spoils those of the tenant that were not
// used: only the newest is good.
func (tx *Tx) InsertSetupLink(ctx context.Context, l *SetupLink) error {
	if _, err := tx.Exec(ctx, `DELETE FROM setup_links WHERE tenant = ? AND used_at IS NULL`, l.Tenant); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO setup_links (hash, tenant, expires_at, used_at) VALUES (?,?,?,?)`, l.Hash, l.Tenant, l.ExpiresAt, l.UsedAt)
	return err
}

// UseSetupLink spends a link; ErrNotFound if it was spent, is too old, or
// belongs to another tenant.
func (tx *Tx) UseSetupLink(ctx context.Context, tenant string, hash []byte) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE setup_links SET used_at = ?
		WHERE hash = ? AND tenant = ? AND used_at IS NULL AND expires_at > ?`, tx.Now(), hash, tenant, tx.Now())
}
