package store

import (
	"context"
	"errors"
)

var errBusy = errors.New("others are reading the database")

// Erasure is a person's records of a tenant that are to be emptied, or were.
type Erasure struct {
	ID     string `db:"id"` // of the decision that allowed it
	Tenant string `db:"tenant"`
	Person string `db:"person"` // the person's id; empty once it is done
	// Pseudonym stands for the person afterwards: the same for the same person,
	// and nobody without the key can tell whose it is.
	Pseudonym   string `db:"pseudonym"`
	Reason      string `db:"reason"`
	AskedBy     string `db:"asked_by"` // a member of staff
	Size        int64  `db:"size"`     // of the log when it was asked for: what came later stays
	Position    int64  `db:"position"` // how far it has come
	Records     int64  `db:"records"`  // emptied so far
	RequestedAt Time   `db:"requested_at"`
	DoneAt      Time   `db:"done_at"` // zero while it runs
}

const erasureColumns = `id, tenant, person, pseudonym, reason, asked_by, size, position, records, requested_at, done_at`

// InsertErasure asks for one, of all that the log holds now.
func (tx *Tx) InsertErasure(ctx context.Context, e *Erasure) error {
	if err := tx.Get(ctx, &e.Size, `SELECT size FROM log_head`); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO erasures (`+erasureColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?)`,
		e.ID, e.Tenant, e.Person, e.Pseudonym, e.Reason, e.AskedBy, e.Size, e.Position, e.Records, e.RequestedAt, e.DoneAt)
	return err
}

// NextErasure is the oldest that is not done; ErrNotFound if there is none.
func (db *DB) NextErasure(ctx context.Context) (*Erasure, error) {
	var e Erasure
	err := db.Get(ctx, &e, `SELECT `+erasureColumns+` FROM erasures WHERE done_at IS NULL ORDER BY requested_at, id LIMIT 1`)
	if err != nil {
		return nil, err
	}
	return &e, nil
}

// AdvanceErasure keeps how far one has come, and adds to how many records it has
// emptied, in the write that emptied them. ErrConflict if it is done: its number
// has been told, so nothing is emptied under its name any more.
func (tx *Tx) AdvanceErasure(ctx context.Context, id string, position, emptied int64) error {
	return tx.ExecOne(ctx, ErrConflict, `UPDATE erasures SET position = CASE WHEN position < ? THEN ? ELSE position END, records = records + ?
		WHERE id = ? AND done_at IS NULL`, position, position, emptied, id)
}

// FinishErasure ends one and forgets the person. ErrConflict if it is done.
func (tx *Tx) FinishErasure(ctx context.Context, id string) error {
	return tx.ExecOne(ctx, ErrConflict, `UPDATE erasures SET person = '', done_at = ? WHERE id = ? AND done_at IS NULL`, tx.Now(), id)
}

// GetErasure is one by its id; ErrNotFound also for another tenant's.
func GetErasure(ctx context.Context, r Reader, tenant, id string) (*Erasure, error) {
	var e Erasure
	if err := r.Get(ctx, &e, `SELECT `+erasureColumns+` FROM erasures WHERE id = ? AND tenant = ?`, id, tenant); err != nil {
		return nil, err
	}
	return &e, nil
}

// ErasureFilter narrows a list.
type ErasureFilter struct {
	Tenant string // always set
	After  ErasurePosition
	Limit  int
}

// ErasurePosition is a place in a list of erasures; the zero one is its start.
type ErasurePosition struct {
	RequestedAt Time
	ID          string
}

// Erasures lists them, newest first.
func Erasures(ctx context.Context, r Reader, f ErasureFilter) ([]Erasure, error) {
	w := where{}
	w.and(`tenant = ?`, f.Tenant)
	if f.After.ID != "" {
		w.terms = append(w.terms, `(requested_at, id) < (?, ?)`)
		w.args = append(w.args, f.After.RequestedAt, f.After.ID)
	}
	var out []Erasure
	err := r.Select(ctx, &out, `SELECT `+erasureColumns+` FROM erasures`+w.String()+` ORDER BY requested_at DESC, id DESC LIMIT ?`,
		append(w.args, f.Limit)...)
	return out, err
}
