package store

import (
	"context"
	"errors"
	"time"
)

// alertsKept is how long a closed alert stays in the list; its record stays as
// long as the log does.
const alertsKept = 400 * 24 * time.Hour

// Alert is what a rule over a window of records found: one for each key of a
// rule while it is open or acknowledged, however often more is found.
type Alert struct {
	ID        string `db:"id"`
	Tenant    string `db:"tenant"`
	Rule      string `db:"rule"`
	Key       string `db:"key"` // what it is about, in the rule's own words: a subject, an address
	Severity  string `db:"severity"`
	Title     string `db:"title"`
	Detail    string `db:"detail"`    // as of the newest evidence
	Decisions Words  `db:"decisions"` // ids of the newest records that it rests on
	State     string `db:"state"`
	Count     int64  `db:"count"`      // how often evidence was found
	Evidence  int64  `db:"evidence"`   // the highest index of a record that it has seen, or that its closing has
	RaisedAt  Time   `db:"raised_at"`  // when it was made
	LastAt    Time   `db:"last_at"`    // when evidence was found last
	ChangedAt Time   `db:"changed_at"` // when its state was changed; zero while nobody did
	ChangedBy string `db:"changed_by"` // who did
}

// States of an [Alert]. They only go forward.
const (
	AlertOpen         = "open"
	AlertAcknowledged = "acknowledged"
	AlertClosed       = "closed"
)

const alertColumns = `id, tenant, rule, key, severity, title, detail, decisions, state, count, evidence, raised_at, last_at, changed_at, changed_by`

// GetAlert is one by its id; ErrNotFound also for another tenant's.
func GetAlert(ctx context.Context, r Reader, tenant, id string) (*Alert, error) {
	var a Alert
	if err := r.Get(ctx, &a, `SELECT `+alertColumns+` FROM alerts WHERE id = ? AND tenant = ?`, id, tenant); err != nil {
		return nil, err
	}
	return &a, nil
}

// AlertFilter narrows a list; zero fields do not.
type AlertFilter struct {
	Tenant   string // always set
	State    string
	Rule     string
	Severity string
	From, To Time // of RaisedAt; From inclusive, To exclusive
	After    AlertPosition
	Limit    int
}

// AlertPosition is a place in a list of alerts; the zero one is its start.
type AlertPosition struct {
	RaisedAt Time
	ID       string
}

// Alerts lists alerts, newest first.
func Alerts(ctx context.Context, r Reader, f AlertFilter) ([]Alert, error) {
	w := where{}
	w.and(`tenant = ?`, f.Tenant)
	w.andIf(f.State != "", `state = ?`, f.State)
	w.andIf(f.Rule != "", `rule = ?`, f.Rule)
	w.andIf(f.Severity != "", `severity = ?`, f.Severity)
	w.andIf(!f.From.IsZero(), `raised_at >= ?`, f.From)
	w.andIf(!f.To.IsZero(), `raised_at < ?`, f.To)
	if f.After.ID != "" {
		w.terms = append(w.terms, `(raised_at, id) < (?, ?)`)
		w.args = append(w.args, f.After.RaisedAt, f.After.ID)
	}
	var out []Alert
	err := r.Select(ctx, &out, `SELECT `+alertColumns+` FROM alerts`+w.String()+` ORDER BY raised_at DESC, id DESC LIMIT ?`,
		append(w.args, f.Limit)...)
	return out, err
}

// AlertCount is how many alerts of a rule and a severity are open, over all
// tenants; those that are acknowledged are not.
type AlertCount struct {
	Rule     string `db:"rule"`
	Severity string `db:"severity"`
	Open     int64  `db:"open"`
}

// AlertCounts counts the open alerts, for metrics.
func (db *DB) AlertCounts(ctx context.Context) ([]AlertCount, error) {
	var out []AlertCount
	err := db.Select(ctx, &out, `SELECT rule, severity, COUNT(*) AS open FROM alerts
		WHERE state = 'open' AND state <> 'closed' GROUP BY rule, severity ORDER BY rule, severity`)
	return out, err
}

// RaiseAlert keeps what was found. While an alert of its tenant, rule and key is
// open or acknowledged, that one counts on; raised is false, and a is made it.
// What rests on no record newer than that one has seen changes nothing, nor
// does what rests on none newer than the closing of the last one.
func (tx *Tx) RaiseAlert(ctx context.Context, a *Alert) (raised bool, err error) {
	var last Alert
	err = tx.Get(ctx, &last, `SELECT `+alertColumns+` FROM alerts
		WHERE tenant = ? AND rule = ? AND key = ? ORDER BY evidence DESC, raised_at DESC, id DESC LIMIT 1`, a.Tenant, a.Rule, a.Key)
	switch {
	case errors.Is(err, ErrNotFound), err == nil && last.State == AlertClosed && a.Evidence > last.Evidence:
		return true, tx.insertAlert(ctx, a)
	case err != nil:
		return false, err
	case last.State == AlertClosed || a.Evidence <= last.Evidence:
		*a = last
		return false, nil
	}
	now := tx.Now()
	_, err = tx.Exec(ctx, `UPDATE alerts SET severity = ?, title = ?, detail = ?, decisions = ?, evidence = ?, last_at = ?, count = count + 1 WHERE id = ?`,
		a.Severity, a.Title, a.Detail, a.Decisions, a.Evidence, now, last.ID)
	last.Severity, last.Title, last.Detail, last.Decisions = a.Severity, a.Title, a.Detail, a.Decisions
	last.Evidence, last.LastAt, last.Count = a.Evidence, now, last.Count+1
	*a = last
	return false, err
}

func (tx *Tx) insertAlert(ctx context.Context, a *Alert) error {
	a.State, a.Count, a.RaisedAt = AlertOpen, 1, tx.Now()
	a.LastAt = a.RaisedAt
	_, err := tx.Exec(ctx, `INSERT INTO alerts (`+alertColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		a.ID, a.Tenant, a.Rule, a.Key, a.Severity, a.Title, a.Detail, a.Decisions, a.State, a.Count, a.Evidence,
		a.RaisedAt, a.LastAt, a.ChangedAt, a.ChangedBy)
	return err
}

// ChangeAlert takes an alert on to state: open → acknowledged → closed, or open →
// closed at once. [ErrConflict] for any other way. From its closing on, what is
// in the log by then is no evidence any more.
func (tx *Tx) ChangeAlert(ctx context.Context, tenant, id, state, by string) error {
	from := ` AND state = 'open'`
	if state == AlertClosed {
		from = ` AND state <> 'closed'`
	} else if state != AlertAcknowledged {
		return ErrConflict
	}
	seen := int64(0)
	if state == AlertClosed {
		if err := tx.Get(ctx, &seen, `SELECT size - 1 FROM log_head`); err != nil {
			return err
		}
	}
	return tx.ExecOne(ctx, ErrConflict, `UPDATE alerts SET state = ?, changed_at = ?, changed_by = ?,
		evidence = CASE WHEN evidence > ? THEN evidence ELSE ? END WHERE id = ? AND tenant = ?`+from,
		state, tx.Now(), by, seen, seen, id, tenant)
}

// EraseAlerts takes a person out of the alerts of a tenant whose key names them:
// key and detail go, the ids of decisions stay. What is found about the person
// afterwards is another alert. It returns how many there were.
func (tx *Tx) EraseAlerts(ctx context.Context, tenant, person string) (int64, error) {
	// Not LIKE: SQLite's takes Bob for bob.
	return tx.Exec(ctx, `UPDATE alerts SET key = 'erased ' || id, detail = ''
		WHERE tenant = ? AND REPLACE(' ' || key || ' ', ?, '') <> ' ' || key || ' '`, tenant, " "+person+" ")
}

// DeleteAlerts removes at most limit alerts that were closed long ago.
func (tx *Tx) DeleteAlerts(ctx context.Context, limit int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE state = 'closed' AND changed_at <= ? LIMIT ?)`,
		At(tx.Now().Add(-alertsKept)), limit)
}
