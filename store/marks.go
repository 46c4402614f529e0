package store

import "context"

// Mark reads one mark of the installation; ErrNotFound if it isn't set.
func Mark(ctx context.Context, r Reader, name string) (value string, err error) {
	err = r.Get(ctx, &value, `SELECT value FROM marks WHERE name = ?`, name)
	return value, err
}

// Mark is [Mark].
func (db *DB) Mark(ctx context.Context, name string) (string, error) { return Mark(ctx, db, name) }

// SetMark sets one.
func (tx *Tx) SetMark(ctx context.Context, name, value string) error {
	_, err := tx.Exec(ctx, `INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}
