package store

import "context"

// Logout is a client that is still to be told that a session ended (OpenID
// Connect Back-Channel Logout). It is put here in the write that ends the
// session, and told afterwards, at least once. A session ends once, so there is
// one of each session and client.
type Logout struct {
	ID        string `db:"id"`
	Tenant    string `db:"tenant"`
	ClientID  string `db:"client_id"`
	URI       string `db:"uri"` // where the client wants to hear of it, as it was then
	Subject   string `db:"subject"`
	SessionID string `db:"session_id"`
	Tries     int    `db:"tries"`
	CreatedAt Time   `db:"created_at"`
	NextAt    Time   `db:"next_at"` // when to try next
}

const logoutColumns = `id, tenant, client_id, uri, subject, session_id, tries, created_at, next_at`

// tellClients notes for the sessions that w finds, which are about to end, the
// clients that know of them: those with a grant of openid that was made in one,
// also if the grant has ended, since the client may keep the person signed in.
func (tx *Tx) tellClients(ctx context.Context, w where) error {
	now := tx.Now()
	_, err := tx.Exec(ctx, `INSERT INTO logouts (`+logoutColumns+`)
		SELECT DISTINCT g.session_id || '/' || g.client_id, g.tenant, g.client_id, c.backchannel_uri, g.subject, g.session_id,
			0, CAST(? AS BIGINT), CAST(? AS BIGINT)
		FROM grants g JOIN clients c ON c.tenant = g.tenant AND c.id = g.client_id
		WHERE g.session_id <> '' AND g.subject_type <> 'client' AND g.actor = '' AND ' ' || g.scopes || ' ' LIKE '% openid %'
			AND c.backchannel_uri <> '' AND c.disabled_at IS NULL AND g.session_id IN (SELECT id FROM sessions`+w.String()+`)
		ON CONFLICT (id) DO NOTHING`, append([]any{now, now}, w.args...)...)
	return err
}

// logoutsOfSubject are how many of one person are listed at a time: who signs in
// and out all day, with clients that never answer, must not hold up others.
const logoutsOfSubject = 10

// DueLogouts lists clients that are to be told now, the longest due first; of
// each person a few.
func (db *DB) DueLogouts(ctx context.Context, limit int) ([]Logout, error) {
	var out []Logout
	err := db.Select(ctx, &out, `SELECT `+logoutColumns+` FROM
		(SELECT `+logoutColumns+`, ROW_NUMBER() OVER (PARTITION BY tenant, subject ORDER BY next_at, id) AS turn FROM logouts WHERE next_at <= ?) AS due
		WHERE turn <= ? ORDER BY next_at, id LIMIT ?`, At(db.now()), logoutsOfSubject, limit)
	return out, err
}

// TryLogout notes an attempt before it is made, and when the next would be;
// [ErrNotFound] if somebody else made it, or it is no longer to be made.
func (tx *Tx) TryLogout(ctx context.Context, l *Logout, next Time) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE logouts SET tries = tries + 1, next_at = ? WHERE id = ? AND tries = ?`, next, l.ID, l.Tries)
}

// DeleteLogout removes one: the client knows, or will not be told.
func (tx *Tx) DeleteLogout(ctx context.Context, id string) error {
	_, err := tx.Exec(ctx, `DELETE FROM logouts WHERE id = ?`, id)
	return err
}
