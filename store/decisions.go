package store

import (
	"context"
	"encoding/json"
)

// Record is one decision as the log keeps it. The columns serve the filters of
// a list; Body is the whole event in the shape of OPA's EventV1, as JSON, but
// for custom.index, custom.status and custom.code, which are columns and are put
// in when it is read.
type Record struct {
	Index    int64  `db:"idx"` // the leaf in the log: contiguous from 0; assigned in the commit
	ID       string `db:"id"`
	At       Time   `db:"at"`
	Tenant   string `db:"tenant"`
	Subject  string `db:"subject"`
	Client   string `db:"client"`
	Action   string `db:"action"`
	Resource string `db:"resource"`
	Allow    bool   `db:"allow"`
	Code     string `db:"code"`   // of the answer; "ok" where there is nothing to complain of
	Status   int    `db:"status"` // of the answer
	Request  string `db:"request_id"`
	Body     []byte `db:"body"`
}

const recordColumns = `idx, id, at, tenant, subject, client, action, resource, allow, code, status, request_id, body`

// insertRecords gives the group's records their indexes and moves the head.
func (g *groupTx) insertRecords() error {
	if len(g.records) == 0 {
		return nil
	}
	p, err := g.conn.prepared(g.ctx, `INSERT INTO decisions (`+recordColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)`)
	if err != nil {
		return err
	}
	for i, r := range g.records {
		r.Index = g.size + int64(i)
		if _, err := p.ExecContext(g.ctx, r.Index, r.ID, r.At, r.Tenant, r.Subject, r.Client, r.Action, r.Resource,
			r.Allow, r.Code, r.Status, r.Request, r.Body); err != nil {
			return err
		}
	}
	head, err := g.conn.prepared(g.ctx, `UPDATE log_head SET size = ?`)
	if err != nil {
		return err
	}
	_, err = head.ExecContext(g.ctx, g.size+int64(len(g.records)))
	return err
}

// DecisionFilter narrows a list; zero fields do not.
type DecisionFilter struct {
	Tenant   string // always set: nobody reads another tenant's log
	From, To Time   // From inclusive, To exclusive
	Subject  string
	Client   string
	Action   string
	Resource string
	Allow    *bool
	Code     string
	Request  string
	Prefix   string // of the id
	Before   int64  // only indexes below it; 0 means from the newest
	After    int64  // only indexes above it, oldest first; -1 or less means off (use with Tail)
	Tail     bool
	Limit    int
}

// Decisions lists records, newest first (oldest first with Tail).
func (db *DB) Decisions(ctx context.Context, f DecisionFilter) ([]Record, error) {
	query, args := f.query()
	var out []Record
	err := db.Select(ctx, &out, query, args...)
	return out, err
}

// query: the log is long, so each order must be an index's, never a sort.
func (f DecisionFilter) query() (string, []any) {
	w := where{}
	w.and(`tenant = ?`, f.Tenant)
	w.andIf(!f.From.IsZero(), `at >= ?`, f.From)
	w.andIf(!f.To.IsZero(), `at < ?`, f.To)
	w.andIf(f.Subject != "", `subject = ?`, f.Subject)
	w.andIf(f.Client != "", `client = ?`, f.Client)
	w.andIf(f.Action != "", `action = ?`, f.Action)
	w.andIf(f.Resource != "", `resource = ?`, f.Resource)
	w.andIf(f.Code != "", `code = ?`, f.Code)
	w.andIf(f.Request != "", `request_id = ?`, f.Request)
	w.andIf(f.Before > 0, `idx < ?`, f.Before)
	w.andIf(f.Tail, `idx > ?`, f.After)
	if f.Allow != nil {
		w.and(`allow = ?`, *f.Allow)
	}
	if f.Prefix != "" {
		w.and(`id >= ?`, f.Prefix)
		w.and(`id < ?`, f.Prefix+"\uffff")
	}
	order := ` ORDER BY idx DESC LIMIT ?`
	if f.Tail {
		order = ` ORDER BY idx LIMIT ?`
	}
	return `SELECT ` + recordColumns + ` FROM decisions` + w.String() + order, append(w.args, f.Limit)
}

// Decision is one record by its id; ErrNotFound also for another tenant's.
func (db *DB) Decision(ctx context.Context, tenant, id string) (*Record, error) {
	var r Record
	if err := db.Get(ctx, &r, `SELECT `+recordColumns+` FROM decisions WHERE id = ? AND tenant = ?`, id, tenant); err != nil {
		return nil, err
	}
	return &r, nil
}

// LogSize is how many records the log has.
func (db *DB) LogSize(ctx context.Context) (n int64, err error) {
	err = db.Get(ctx, &n, `SELECT size FROM log_head`)
	return n, err
}

// Event is the record as the outside sees it: Body with custom.index,
// custom.status and custom.code (of the answer) put in.
func (r *Record) Event() (json.RawMessage, error) {
	var event map[string]json.RawMessage
	if err := json.Unmarshal(r.Body, &event); err != nil {
		return nil, err
	}
	custom := map[string]any{}
	if raw, ok := event["custom"]; ok {
		if err := json.Unmarshal(raw, &custom); err != nil {
			return nil, err
		}
	}
	custom["index"], custom["status"], custom["code"] = r.Index, r.Status, r.Code
	raw, err := json.Marshal(custom)
	if err != nil {
		return nil, err
	}
	event["custom"] = raw
	return json.Marshal(event)
}
