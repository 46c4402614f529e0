package store

import "context"

// Once notes that something was shown that may be shown only once until then,
// such as a DPoP proof or an assertion. It reports whether this is the first
// time; a note whose time is over counts as none. Of several at once, on
// whatever node, exactly one is the first. key is a digest that names the kind of
// thing and who showed it, so that nobody can use up what is another's.
func (tx *Tx) Once(ctx context.Context, key []byte, until Time) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO replays (key, expires_at) VALUES (?,?)
		ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at WHERE replays.expires_at <= ?`, key, until, tx.Now())
	return n == 1, err
}

// DeleteReplays removes at most limit notes whose time is over.
func (tx *Tx) DeleteReplays(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM replays WHERE key IN (SELECT key FROM replays WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`, tx.Now(), limit)
}
