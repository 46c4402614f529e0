package store

import "context"

// LogKey is a key that signs the log's checkpoints, or did. Verifier is its vkey
// (C2SP signed-note), whose name is the log's origin; Sealed is its secret part,
// which this package can't read, empty once it is destroyed.
type LogKey struct {
	Verifier  string `db:"verifier"`
	Sealed    []byte `db:"sealed"`
	CreatedAt Time   `db:"created_at"`
	RetiredAt Time   `db:"retired_at"` // when it ends, or ended, to sign; zero: no end is set
}

// Signs reports whether the key signs checkpoints at this time.
func (k *LogKey) Signs(now Time) bool {
	return len(k.Sealed) > 0 && (k.RetiredAt.IsZero() || k.RetiredAt.After(now.Time))
}

// LogKeys are all there ever were, the newest first.
func LogKeys(ctx context.Context, r Reader) (keys []LogKey, err error) {
	err = r.Select(ctx, &keys, `SELECT verifier, sealed, created_at, retired_at FROM log_keys ORDER BY created_at DESC, verifier`)
	return keys, err
}

// InsertLogKey adds one.
func (tx *Tx) InsertLogKey(ctx context.Context, k *LogKey) error {
	_, err := tx.Exec(ctx, `INSERT INTO log_keys (verifier, sealed, created_at, retired_at) VALUES (?, ?, ?, ?)`,
		k.Verifier, k.Sealed, k.CreatedAt, k.RetiredAt)
	return err
}

// RetireLogKeys sets the end of all keys that have none yet, or a later one.
func (tx *Tx) RetireLogKeys(ctx context.Context, end Time) error {
	_, err := tx.Exec(ctx, `UPDATE log_keys SET retired_at = ? WHERE retired_at IS NULL OR retired_at > ?`, end, end)
	return err
}

// DestroyLogKey forgets the secret part of a key whose end has come, so that
// nobody signs with it any more. What it has signed can still be verified.
// ErrConflict if it may still sign, or is destroyed.
func (tx *Tx) DestroyLogKey(ctx context.Context, verifier string) error {
	return tx.ExecOne(ctx, ErrConflict, `UPDATE log_keys SET sealed = ? WHERE verifier = ? AND retired_at <= ? AND LENGTH(sealed) > 0`,
		[]byte{}, verifier, tx.Now())
}
