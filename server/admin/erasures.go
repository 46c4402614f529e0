package admin

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// erasureView says how far an erasure has come. The person is not in it: after
// it is done, nothing of the program knows who it was.
type erasureView struct {
	ID          string     `json:"id"`     // of the decision that allowed it
	Person      string     `json:"person"` // a pseudonym, the same for the same person
	Status      string     `json:"status"` // running, done
	Reason      string     `json:"reason"`
	AskedBy     string     `json:"asked_by"`
	Size        int64      `json:"size"`     // of the log when it was asked for
	Position    int64      `json:"position"` // how far it has come
	Records     int64      `json:"records"`  // emptied so far
	RequestedAt time.Time  `json:"requested_at"`
	DoneAt      *time.Time `json:"done_at"`
}

func viewErasure(e *store.Erasure) any {
	v := erasureView{
		ID: e.ID, Person: e.Pseudonym, Status: "running", Reason: e.Reason, AskedBy: e.AskedBy, Size: e.Size, Position: e.Position,
		Records: e.Records, RequestedAt: e.RequestedAt.Time, DoneAt: when(e.DoneAt),
	}
	if v.DoneAt != nil {
		v.Status = "done"
	}
	return v
}

// Erasures is /admin/api/erasures: a person's records that are emptied, from the
// POST that asks for it to the end.
func (a *Admin) Erasures() Handlers {
	n := &noun[store.Erasure]{
		name: "erasure", view: viewErasure,
		get: func(ctx context.Context, r store.Reader, t *store.Tenant, id string) (*store.Erasure, error) {
			return store.GetErasure(ctx, r, t.ID, id)
		},
	}
	l := &list[store.Erasure, struct{}]{
		name: n.name, view: viewErasure, filter: none,
		place: func(e *store.Erasure) place { return place{ID: e.ID, At: e.RequestedAt} },
		rows: func(ctx context.Context, r store.Reader, q *query[struct{}]) ([]store.Erasure, error) {
			return store.Erasures(ctx, r, store.ErasureFilter{
				Tenant: q.tenant.ID, After: store.ErasurePosition{RequestedAt: q.after.At, ID: q.after.ID}, Limit: q.limit,
			})
		},
	}
	return Handlers{List: l.handler(a), Read: n.read(a), Create: a.erase()}
}

// Eraser empties the records of persons; see the package audit.
type Eraser interface {
	// Knows reports whether the person is a user of the tenant, or was one.
	Knows(ctx context.Context, tenant, person string) (bool, error)
	// Preview says what would be emptied now if askedBy asked for it.
	Preview(ctx context.Context, tenant, person, askedBy string) (*store.Erasure, error)
}

// preview is the answer to a POST that only asks how much it would be.
type preview struct {
	Person   string `json:"person"` // a pseudonym
	DryRun   bool   `json:"dry_run"`
	Size     int64  `json:"size"`     // of the log now
	Position int64  `json:"position"` // how far was looked; less than size where that took too long
	Records  int64  `json:"records"`  // that would be emptied, below position
}

// wish is what a POST says, and what is known about it.
type wish struct {
	person, reason string
	dry            bool
	known          bool
	would          *store.Erasure // of a dry run
}

// erase is POST /admin/api/erasures (erasure.create). Its record must not keep
// what it is there to take out, so the resource is the person's pseudonym, and
// the id is in the body alone, which no record has.
func (a *Admin) erase() fiber.Handler {
	return gate.Handler(a.Gate, gate.Operation[wish]{
		Action: "erasure.create", Parse: parseWish, Prepare: a.look,
		Facts: func(_ context.Context, _ store.Reader, c *gate.Call, w *wish) (policies.Resource, policies.Facts, error) {
			return policies.Resource{Type: "person", ID: a.pseudonym(c.Tenant.ID, w.person), Tenant: c.Tenant.ID}, nil, nil
		},
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, w *wish) (*web.Answer, error) {
			switch {
			case w.person == c.Caller.ID:
				return nil, conflict("Somebody else has to ask for this: nobody takes the own acts out of the log.")
			case !w.known:
				return nil, web.Unprocessable(web.FieldError{Field: "person", Code: "unknown_person", Detail: "Nobody of this tenant has or had this id: it must be that of a customer or of a member of staff."})
			case w.dry:
				return web.JSON(fiber.StatusOK, preview{c.Resource.ID, true, w.would.Size, w.would.Position, w.would.Records}), nil
			}
			e := &store.Erasure{
				ID: c.DecisionID, Tenant: c.Tenant.ID, Person: w.person, Pseudonym: c.Resource.ID, Reason: w.reason,
				AskedBy: c.Caller.ID, RequestedAt: store.At(c.Now),
			}
			if err := tx.InsertErasure(ctx, e); err != nil {
				return nil, err
			}
			return web.JSON(fiber.StatusAccepted, viewErasure(e)), nil
		},
	})
}

// look reads the log, for as long as that takes: outside of the transaction.
func (a *Admin) look(ctx context.Context, c *gate.Call, w *wish) (err error) {
	if w.person == c.Caller.ID {
		return nil
	}
	if w.known, err = a.Eraser.Knows(ctx, c.Tenant.ID, w.person); err == nil && w.known && w.dry {
		w.would, err = a.Eraser.Preview(ctx, c.Tenant.ID, w.person, c.Caller.ID)
	}
	return err
}

func parseWish(r *web.Request, w *wish) *web.Problem {
	if p := noQuery(r); p != nil {
		return p
	}
	f, p := web.ParseObject(r.Body)
	if p != nil {
		return p
	}
	notNull(f, "dry_run")
	f.Require("person")
	if w.dry, _ = f.Bool("dry_run"); !w.dry {
		f.Require("reason")
	}
	w.person, _ = matching(f, "person", idPattern)
	w.reason, _ = line(f, "reason")
	if strings.Contains(w.reason, "@") || (w.person != "" && strings.Contains(w.reason, w.person)) {
		f.Wrong("reason", "invalid", "It stays in the log: it must not say who it is about.")
	}
	return f.Problem()
}

// pseudonym stands for a person of a tenant in the records of erasures. It is
// another than a mask's: those are erased with the person.
func (a *Admin) pseudonym(tenant, person string) string {
	if person == "" || a.Pseudonym == nil {
		return ""
	}
	return a.Pseudonym("erasure " + tenant + " " + person)
}
