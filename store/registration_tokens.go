package store

import "context"

// RegistrationToken lets its holder register clients (RFC 7591 §3), so many at
// most. It is no credential for anything else.
type RegistrationToken struct {
	ID        string `db:"id"` // its public name
	Tenant    string `db:"tenant"`
	Name      string `db:"name"`
	Hash      []byte `db:"hash"`
	CreatedAt Time   `db:"created_at"`
	ExpiresAt Time   `db:"expires_at"` // zero: it doesn't
	RevokedAt Time   `db:"revoked_at"`
	Used      int64  `db:"used"` // clients that were registered with it
	Most      int64  `db:"most"` // that can be
}

const registrationTokenColumns = `id, tenant, name, hash, created_at, expires_at, revoked_at, used, most`

// RegistrationTokenWith is a tenant's by its hash, whatever has become of it.
func RegistrationTokenWith(ctx context.Context, r Reader, tenant string, hash []byte) (*RegistrationToken, error) {
	var t RegistrationToken
	err := r.Get(ctx, &t, `SELECT `+registrationTokenColumns+` FROM registration_tokens WHERE hash = ? AND tenant = ?`, hash, tenant)
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// GetRegistrationToken is one by its id; ErrNotFound also for another tenant's.
func GetRegistrationToken(ctx context.Context, r Reader, tenant, id string) (*RegistrationToken, error) {
	var t RegistrationToken
	err := r.Get(ctx, &t, `SELECT `+registrationTokenColumns+` FROM registration_tokens WHERE id = ? AND tenant = ?`, id, tenant)
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// RegistrationTokens lists at most limit of a tenant's by their ids, those after
// the given one.
func RegistrationTokens(ctx context.Context, r Reader, tenant, after string, limit int) ([]RegistrationToken, error) {
	var out []RegistrationToken
	err := r.Select(ctx, &out, `SELECT `+registrationTokenColumns+` FROM registration_tokens WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?`,
		tenant, after, limit)
	return out, err
}

// InsertRegistrationToken adds one.
func (tx *Tx) InsertRegistrationToken(ctx context.Context, t *RegistrationToken) error {
	_, err := tx.Exec(ctx, `INSERT INTO registration_tokens (`+registrationTokenColumns+`) VALUES (?,?,?,?,?,?,?,?,?)`,
		t.ID, t.Tenant, t.Name, t.Hash, t.CreatedAt, t.ExpiresAt, t.RevokedAt, t.Used, t.Most)
	return err
}

// UseRegistrationToken counts one use; false if it is revoked, at its end, or
// was used as often as it may be. Of many at once, so many succeed.
func (tx *Tx) UseRegistrationToken(ctx context.Context, tenant, id string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE registration_tokens SET used = used + 1
		WHERE id = ? AND tenant = ? AND revoked_at IS NULL AND used < most AND (expires_at IS NULL OR expires_at > ?)`, id, tenant, tx.Now())
	return n == 1, err
}

// RevokeRegistrationToken ends one; the clients that were registered with it
// stay. Revoking twice keeps the first time.
func (tx *Tx) RevokeRegistrationToken(ctx context.Context, tenant, id string) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE registration_tokens SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ? AND tenant = ?`, tx.Now(), id, tenant)
}
