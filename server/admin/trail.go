package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Trail is the audit trail as its publisher keeps it.
type Trail interface {
	// Proof is the proof file of a record.
	Proof(ctx context.Context, r *store.Record) ([]byte, error)
	// Keys are the log's keys, the newest first.
	Keys(ctx context.Context) ([]store.LogKey, error)
	// Rotate makes a new key; those before it sign beside it for the overlap.
	Rotate(ctx context.Context, tx *store.Tx, overlap time.Duration) ([]store.LogKey, error)
}

const plainText = "text/plain; charset=utf-8"

// DecisionProof is GET /admin/api/decisions/:id/proof: a file with which anybody
// can check offline that the record is in the log (C2SP tlog-proof).
func (a *Admin) DecisionProof() fiber.Handler {
	n := &noun[store.Record]{name: "decision", get: a.decisionOf}
	return gate.Handler(a.Gate, gate.Operation[input[store.Record]]{
		Action: "decision.prove", Parse: n.parseID, Facts: n.facts,
		Read: func(ctx context.Context, _ store.Reader, _ *gate.Call, in *input[store.Record]) (*web.Answer, error) {
			if in.row == nil || a.Trail == nil {
				return nil, store.ErrNotFound
			}
			proof, err := a.Trail.Proof(ctx, in.row)
			if err != nil {
				return nil, err
			}
			return &web.Answer{
				Status: fiber.StatusOK, Type: plainText, Body: proof, Code: "ok",
				Header: map[string]string{fiber.HeaderContentDisposition: fmt.Sprintf("attachment; filename=%q", in.row.ID+".tlog-proof")},
			}, nil
		},
	})
}

type logKeyView struct {
	Verifier  string     `json:"verifier"` // a vkey (C2SP signed-note)
	CreatedAt time.Time  `json:"created_at"`
	RetiredAt *time.Time `json:"retired_at"` // when it ends, or ended, to sign
	Signs     bool       `json:"signs"`
}

func viewLogKeys(keys []store.LogKey, now time.Time) web.List[logKeyView] {
	out := web.List[logKeyView]{Data: []logKeyView{}}
	for i := range keys {
		k := &keys[i]
		out.Data = append(out.Data, logKeyView{Verifier: k.Verifier, CreatedAt: k.CreatedAt.Time, RetiredAt: when(k.RetiredAt), Signs: k.Signs(store.At(now))})
	}
	return out
}

// logResource is the log of the installation, which the first tenant looks after.
func logResource[T any](_ context.Context, _ store.Reader, c *gate.Call, _ *T) (policies.Resource, policies.Facts, error) {
	return policies.Resource{Type: "log", Tenant: c.Tenant.ID}, nil, nil
}

// LogKeys is GET /admin/api/audit/keys: the keys that sign checkpoints, and
// those that did, the newest first.
func (a *Admin) LogKeys() fiber.Handler {
	return gate.Handler(a.Gate, gate.Operation[struct{}]{
		Action: "trail.read", Facts: logResource[struct{}],
		Parse: func(r *web.Request, _ *struct{}) *web.Problem { return noQuery(r) },
		Read: func(ctx context.Context, _ store.Reader, c *gate.Call, _ *struct{}) (*web.Answer, error) {
			if a.Trail == nil {
				return nil, store.ErrNotFound
			}
			keys, err := a.Trail.Keys(ctx)
			if err != nil {
				return nil, err
			}
			return web.JSON(fiber.StatusOK, viewLogKeys(keys, c.Now)), nil
		},
	})
}

const (
	defaultLogOverlap = 30 * 24 * 60 * 60  // seconds
	maxLogOverlap     = 366 * 24 * 60 * 60 // seconds
)

// RotateLogKey is POST /admin/api/audit/keys: a new key, which signs at once;
// those before it sign beside it for an overlap.
func (a *Admin) RotateLogKey() fiber.Handler {
	return gate.Handler(a.Gate, gate.Operation[rotation]{
		Action: "trail.rotate", Facts: logResource[rotation],
		Parse: func(r *web.Request, in *rotation) *web.Problem {
			if p := noQuery(r); p != nil {
				return p
			}
			return parseOverlap(r, in, defaultLogOverlap, maxLogOverlap)
		},
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, in *rotation) (*web.Answer, error) {
			if a.Trail == nil {
				return nil, store.ErrNotFound
			}
			keys, err := a.Trail.Rotate(ctx, tx, time.Duration(in.overlap)*time.Second)
			if err != nil {
				return nil, err
			}
			return web.JSON(fiber.StatusCreated, viewLogKeys(keys, c.Now)), nil
		},
	})
}

// whichCheckpoint names one that was kept.
type whichCheckpoint struct {
	size  int64
	sized bool
	at    store.Time
}

// KeptCheckpoint is GET /admin/api/audit/checkpoint: with size the first that has
// so many records or more, with at the newest that is not younger, with neither
// the newest of all.
func (a *Admin) KeptCheckpoint() fiber.Handler {
	return gate.Handler(a.Gate, gate.Operation[whichCheckpoint]{
		Action: "trail.read", Facts: logResource[whichCheckpoint], Parse: parseWhichCheckpoint,
		Read: func(ctx context.Context, _ store.Reader, c *gate.Call, in *whichCheckpoint) (*web.Answer, error) {
			var kept *store.Checkpoint
			var err error
			switch {
			case in.sized:
				kept, err = a.Store.CheckpointOf(ctx, in.size)
			case in.at.IsZero():
				kept, err = a.Store.CheckpointAt(ctx, store.At(c.Now))
			default:
				kept, err = a.Store.CheckpointAt(ctx, in.at)
			}
			if err != nil {
				return nil, err
			}
			return &web.Answer{Status: fiber.StatusOK, Type: plainText, Body: []byte(kept.Note), Code: "ok"}, nil
		},
	})
}

func parseWhichCheckpoint(r *web.Request, in *whichCheckpoint) *web.Problem {
	f, p := web.ParseQuery(r.RawQuery)
	if p != nil {
		return p
	}
	if f.Has("size") && f.Has("at") {
		f.Wrong("size", "invalid", "One of size and at may be given.")
	}
	in.size, in.sized = f.Int("size", 0, 1<<62)
	at, _ := f.Time("at")
	in.at = store.At(at)
	return f.Problem()
}
