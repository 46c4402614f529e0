package store

import (
	"context"
	"encoding/json"
	"fmt"
)

// oldRecord is a row of the log as version 1 of the schema kept it: custom.index,
// custom.status and custom.code were columns alone.
type oldRecord struct {
	Index    int64  `db:"idx"`
	ID       string `db:"id"`
	At       Time   `db:"at"`
	Tenant   string `db:"tenant"`
	Subject  string `db:"subject"`
	Client   string `db:"client"`
	Action   string `db:"action"`
	Resource string `db:"resource"`
	Allow    bool   `db:"allow"`
	Code     string `db:"code"`
	Status   int    `db:"status"`
	Request  string `db:"request_id"`
	Body     []byte `db:"body"`
}

// upgradeStep is how many records move in one transaction.
const upgradeStep = 2000

// upgradeLog moves the log of version 1 into the tree, under the same indexes.
// It may be interrupted: what has moved has moved.
func (db *DB) upgradeLog(ctx context.Context, progress Progress) error {
	there, err := db.hasTable(ctx, "decisions_old")
	if err != nil || !there {
		return err
	}
	var total int64
	if err := db.Get(ctx, &total, `SELECT COALESCE(MAX(idx) + 1, 0) FROM decisions_old`); err != nil {
		return err
	}
	conn, err := openWriteConn(ctx, db)
	if err != nil {
		return err
	}
	defer conn.drop()
	for more := true; more; {
		done, err := upgradeSome(ctx, db, conn)
		if err != nil {
			if there, again := db.hasTable(ctx, "decisions_old"); again == nil && !there {
				return nil // another node has finished it
			}
			return err
		}
		if more = done < total; progress != nil {
			progress(min(done, total), total)
		}
	}
	return conn.exec(ctx, `DROP TABLE IF EXISTS decisions_old`)
}

// upgradeSome moves the next records and returns the size of the log after it.
func upgradeSome(ctx context.Context, db *DB, conn *writeConn) (int64, error) {
	g := &groupTx{conn: conn, db: db, ctx: ctx}
	if err := g.begin(); err != nil {
		return 0, err
	}
	p, err := conn.prepared(ctx, `SELECT idx, id, at, tenant, subject, client, action, resource, allow, code, status, request_id, body
		FROM decisions_old WHERE idx >= ? ORDER BY idx LIMIT ?`)
	if err != nil {
		return 0, err
	}
	var rows []oldRecord
	if err := p.SelectContext(ctx, &rows, g.head.Size, upgradeStep); err != nil {
		return 0, err
	}
	for i := range rows {
		if want := g.head.Size + int64(i); rows[i].Index != want {
			return 0, fmt.Errorf("%w: the old log has no index %d", ErrInvalid, want)
		}
		r, err := rows[i].record()
		if err != nil {
			return 0, err
		}
		g.records = append(g.records, r)
	}
	if err := g.insertRecords(); err != nil {
		return 0, err
	}
	return g.head.Size + int64(len(rows)), conn.exec(ctx, `COMMIT`)
}

// record is the row as a record is today, sealed.
func (o *oldRecord) record() (*Record, error) {
	var event map[string]json.RawMessage
	if err := json.Unmarshal(o.Body, &event); err != nil {
		return nil, err
	}
	custom := map[string]any{}
	if raw, ok := event["custom"]; ok {
		if err := json.Unmarshal(raw, &custom); err != nil {
			return nil, err
		}
	}
	delete(event, "custom")
	custom["tenant"], custom["status"], custom["code"] = o.Tenant, o.Status, o.Code
	body, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	last, err := json.Marshal(custom)
	if err != nil {
		return nil, err
	}
	body = body[:len(body)-1]
	if len(event) > 0 {
		body = append(body, ',')
	}
	body = append(append(append(body, `"custom":`...), last...), '}')
	var says bodyKeys
	_ = json.Unmarshal(body, &says) // what it does not say stays empty
	r := &Record{
		IP: says.IP, Rules: says.rules(),
		ID: o.ID, At: o.At, Tenant: o.Tenant, Subject: o.Subject, Client: o.Client, Action: o.Action, Resource: o.Resource,
		Allow: o.Allow, Code: o.Code, Status: o.Status, Request: o.Request, Body: body,
	}
	return r, r.seal()
}

func (db *DB) hasTable(ctx context.Context, name string) (bool, error) {
	var n int64
	err := db.Get(ctx, &n, db.dialect.tables+` = ?`, name)
	return n > 0, err
}
