package store

import (
	"context"
	"time"
)

// sessionsKept is how long a session stays after its end, so that who looks
// for a stranger's can still see it.
const sessionsKept = 30 * 24 * time.Hour

// Session is one browser in which a person is signed in. Its key is a secret of
// 256 random bits that only the cookie holds; the row has the SHA-256.
type Session struct {
	Hash       []byte `db:"hash"`
	ID         string `db:"id"` // its public name; useless without the key
	Tenant     string `db:"tenant"`
	UserID     string `db:"user_id"`
	CreatedAt  Time   `db:"created_at"`   // when the person proved who they are, for the last time
	LastSeenAt Time   `db:"last_seen_at"` // coarse: see [Tx.TouchSession]
	ExpiresAt  Time   `db:"expires_at"`   // the absolute limit; the idle limit counts from LastSeenAt
	EndedAt    Time   `db:"ended_at"`
	AMR        Words  `db:"amr"` // how they proved it (RFC 8176): pwd
	IP         string `db:"ip"`
	UserAgent  string `db:"user_agent"`
}

const sessionColumns = `hash, id, tenant, user_id, created_at, last_seen_at, expires_at, ended_at, amr, ip, user_agent`

// SessionByHash finds a session, in whatever state, and its person.
func (db *DB) SessionByHash(ctx context.Context, hash []byte) (*Session, *User, error) {
	var s Session
	if err := db.Get(ctx, &s, `SELECT `+sessionColumns+` FROM sessions WHERE hash = ?`, hash); err != nil {
		return nil, nil, err
	}
	u, err := GetUser(ctx, db, s.Tenant, s.UserID)
	return &s, u, err
}

// GetSession is one by its id; ErrNotFound also for another tenant's.
func GetSession(ctx context.Context, r Reader, tenant, id string) (*Session, error) {
	var s Session
	if err := r.Get(ctx, &s, `SELECT `+sessionColumns+` FROM sessions WHERE id = ? AND tenant = ?`, id, tenant); err != nil {
		return nil, err
	}
	return &s, nil
}

// SessionFilter narrows a list of sessions; zero fields do not.
type SessionFilter struct {
	Tenant string // always set
	User   string
	OpenAt Time // only those that are neither ended nor past their absolute limit then
	After  SessionPosition
	Limit  int
}

// SessionPosition is a place in a list of sessions; the zero one is its start.
type SessionPosition struct {
	CreatedAt Time   `json:"at"`
	ID        string `json:"id"`
}

// Sessions lists sessions, newest first.
func Sessions(ctx context.Context, r Reader, f SessionFilter) ([]Session, error) {
	w := where{}
	w.and(`tenant = ?`, f.Tenant)
	w.andIf(f.User != "", `user_id = ?`, f.User)
	if !f.OpenAt.IsZero() {
		w.terms = append(w.terms, `ended_at IS NULL`)
		w.and(`expires_at > ?`, f.OpenAt)
	}
	if f.After.ID != "" {
		w.terms = append(w.terms, `(created_at, id) < (?, ?)`)
		w.args = append(w.args, f.After.CreatedAt, f.After.ID)
	}
	var out []Session
	err := r.Select(ctx, &out, `SELECT `+sessionColumns+` FROM sessions`+w.String()+` ORDER BY created_at DESC, id DESC LIMIT ?`,
		append(w.args, f.Limit)...)
	return out, err
}

// InsertSession adds one.
func (tx *Tx) InsertSession(ctx context.Context, s *Session) error {
	_, err := tx.Exec(ctx, `INSERT INTO sessions (`+sessionColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?)`,
		s.Hash, s.ID, s.Tenant, s.UserID, s.CreatedAt, s.LastSeenAt, s.ExpiresAt, s.EndedAt, s.AMR, s.IP, s.UserAgent)
	return err
}

// TouchSession moves last_seen_at to at if it is before was: of several
// requests at once, one writes.
func (tx *Tx) TouchSession(ctx context.Context, hash []byte, was, at Time) error {
	_, err := tx.Exec(ctx, `UPDATE sessions SET last_seen_at = ? WHERE hash = ? AND last_seen_at < ? AND ended_at IS NULL`, at, hash, was)
	return err
}

// RenewSession gives an open session of the same person the key, times and
// methods of a new login; its id stays, by which clients know it. ErrNotFound if
// there is no such open session.
func (tx *Tx) RenewSession(ctx context.Context, s *Session) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE sessions SET hash = ?, created_at = ?, last_seen_at = ?, expires_at = ?, amr = ?, ip = ?, user_agent = ?
		WHERE id = ? AND tenant = ? AND user_id = ? AND ended_at IS NULL`,
		s.Hash, s.CreatedAt, s.LastSeenAt, s.ExpiresAt, s.AMR, s.IP, s.UserAgent, s.ID, s.Tenant, s.UserID)
}

// EndSession ends one, and notes which clients are to be told; ErrNotFound if
// there is no such open session.
func (tx *Tx) EndSession(ctx context.Context, tenant, id string) error {
	w := where{terms: []string{`ended_at IS NULL`}}
	w.and(`id = ?`, id)
	w.and(`tenant = ?`, tenant)
	n, err := tx.endSessions(ctx, w)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

func (tx *Tx) endSessions(ctx context.Context, w where) (int64, error) {
	if err := tx.tellClients(ctx, w); err != nil {
		return 0, err
	}
	return tx.Exec(ctx, `UPDATE sessions SET ended_at = ?`+w.String(), append([]any{tx.Now()}, w.args...)...)
}

// SessionMatch says which sessions [Tx.EndSessions] ends; zero fields do not narrow.
type SessionMatch struct {
	Tenant string // always set
	User   string
	Before Time   // only those begun before it
	Except string // not the one with this id
}

// EndSessions ends all open sessions that match, as [Tx.EndSession] does, and
// returns how many.
func (tx *Tx) EndSessions(ctx context.Context, m SessionMatch) (int64, error) {
	w := where{terms: []string{`ended_at IS NULL`}}
	w.and(`tenant = ?`, m.Tenant)
	w.andIf(m.User != "", `user_id = ?`, m.User)
	w.andIf(!m.Before.IsZero(), `created_at < ?`, m.Before)
	w.andIf(m.Except != "", `id <> ?`, m.Except)
	return tx.endSessions(ctx, w)
}

// DeleteSessions removes at most limit sessions whose absolute limit is long
// past; the records of what was done in them stay.
func (tx *Tx) DeleteSessions(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
		At(tx.Now().Add(-sessionsKept)), limit)
}
