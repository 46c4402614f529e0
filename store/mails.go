package store

import (
	"context"
	"time"
)

const (
	mailsKept    = 7 * 24 * time.Hour // after their end
	maxMailsWait = 10_000             // in the outbox; one more is refused
)

// Mail is one mail to one recipient in the outbox. It is put there in the write
// of what it tells of, and sent afterwards, at least once.
type Mail struct {
	ID        string `db:"id"` // stable: the Message-ID is made of it
	Tenant    string `db:"tenant"`
	Kind      string `db:"kind"`      // what it tells of: alert
	Recipient string `db:"recipient"` // the address alone
	Subject   string `db:"subject"`
	Body      string `db:"body"` // plain text
	CreatedAt Time   `db:"created_at"`
	Attempts  int    `db:"attempts"`
	NextAt    Time   `db:"next_at"`  // when to try next; zero: it has ended
	EndedAt   Time   `db:"ended_at"` // when it was sent or given up
	Sent      bool   `db:"sent"`
	Error     string `db:"error"` // of the last attempt
}

const mailColumns = `id, tenant, kind, recipient, subject, body, created_at, attempts, next_at, ended_at, sent, error`

// InsertMail puts one into the outbox, due at once; [ErrUnavailable] when too
// many wait there already.
func (tx *Tx) InsertMail(ctx context.Context, m *Mail) error {
	n, err := WaitingMails(ctx, tx)
	if err != nil {
		return err
	}
	if n >= maxMailsWait {
		return ErrUnavailable
	}
	m.CreatedAt, m.NextAt = tx.Now(), tx.Now()
	_, err = tx.Exec(ctx, `INSERT INTO mails (`+mailColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`,
		m.ID, m.Tenant, m.Kind, m.Recipient, m.Subject, m.Body, m.CreatedAt, m.Attempts, m.NextAt, m.EndedAt, m.Sent, m.Error)
	return err
}

// WaitingMails is how many are in the outbox and have not ended.
func WaitingMails(ctx context.Context, r Reader) (n int64, err error) {
	err = r.Get(ctx, &n, `SELECT COUNT(*) FROM mails WHERE next_at IS NOT NULL`)
	return n, err
}

// MailsSince is how many mails of a kind a tenant caused since then.
func MailsSince(ctx context.Context, r Reader, tenant, kind string, since Time) (n int64, err error) {
	err = r.Get(ctx, &n, `SELECT COUNT(*) FROM mails WHERE tenant = ? AND kind = ? AND created_at >= ?`, tenant, kind, since)
	return n, err
}

// DueMails lists what is to be sent now, the longest due first.
func (db *DB) DueMails(ctx context.Context, limit int) ([]Mail, error) {
	var out []Mail
	err := db.Select(ctx, &out, `SELECT `+mailColumns+` FROM mails WHERE next_at <= ? ORDER BY next_at, id LIMIT ?`, At(db.now()), limit)
	return out, err
}

// TryMail notes an attempt before it is made, and when the next would be: a
// sender that can't note what it has sent must not send it again and again.
// [ErrNotFound] if the mail has ended.
func (tx *Tx) TryMail(ctx context.Context, id string, next Time) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE mails SET attempts = attempts + 1, next_at = ? WHERE id = ? AND next_at IS NOT NULL`, next, id)
}

// MailSent notes that a server has taken the mail: it has ended.
func (tx *Tx) MailSent(ctx context.Context, id string) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE mails SET sent = ?, ended_at = ?, next_at = NULL, error = '' WHERE id = ? AND next_at IS NOT NULL`,
		true, tx.Now(), id)
}

// MailFailed notes why an attempt failed.
func (tx *Tx) MailFailed(ctx context.Context, id, why string) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE mails SET error = ? WHERE id = ? AND next_at IS NOT NULL`, why, id)
}

// GiveUpMail ends a mail that was not sent, for the reason why.
func (tx *Tx) GiveUpMail(ctx context.Context, id, why string) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE mails SET ended_at = ?, next_at = NULL, error = ? WHERE id = ? AND next_at IS NOT NULL`,
		tx.Now(), why, id)
}

// DeleteMails removes at most limit mails that ended long ago.
func (tx *Tx) DeleteMails(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE ended_at <= ? LIMIT ?)`, At(tx.Now().Add(-mailsKept)), limit)
}
