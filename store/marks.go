package store

import "context"

// Mark reads one mark of the installation; ErrNotFound if it isn't set.
func (db *DB) Mark(ctx context.Context, name string) (value string, err error) {
	err = db.Get(ctx, &value, `SELECT value FROM marks WHERE name = ?`, name)
	return value, err
}

// SetMark sets one.
func (tx *Tx) SetMark(ctx context.Context, name, value string) error {
	_, err := tx.Exec(ctx, `INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}
