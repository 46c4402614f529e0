package gate

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Policy answers the question. An error means that there is no answer; the
// Decision beside it still holds the input and the revision for the record.
type Policy interface {
	Decide(ctx context.Context, r *policies.Request) (*policies.Decision, error)
}

// Gate holds what every decision needs. All fields are set before use.
type Gate struct {
	Policy Policy
	Store  *store.DB
	Log    *slog.Logger
	Now    func() time.Time
	NewID  func() string     // of a decision
	Labels map[string]string // of this node, in every record
	// Decided is told of each record once it is durable, and how long the rules
	// worked on it; nil: nobody.
	Decided func(r *store.Record, evaluated time.Duration)
	Mask    Mask // nil: nothing is masked
}

// Call is one request on its way through the gate: what an effect may use.
type Call struct {
	*web.Request
	Action     string
	DecisionID string
	Resource   policies.Resource
	Decision   *policies.Decision
	Now        time.Time
	// Related is another person that the request touches, set by Facts; Lines are
	// the ids of the ledger lines that the effect wrote. The record names them.
	Related string
	Lines   []string
	refusal func(*web.Answer) *web.Answer
}

// worded is an answer in the words of its protocol.
func (c *Call) worded(a *web.Answer) *web.Answer {
	if c.refusal == nil || a.Type != web.ProblemType {
		return a
	}
	return c.refusal(a)
}

// Operation is one protected thing that can be asked for. T is its parsed
// input, made new for each request.
type Operation[T any] struct {
	Action string
	// Idempotent demands an Idempotency-Key and replays stored answers.
	Idempotent bool
	// Parse reads the input; it does no I/O. It fills what it understood even
	// where it returns a problem, which is told only to a caller who may act.
	Parse func(r *web.Request, in *T) *web.Problem
	// Facts reads what the policy asks about, in one query where it can.
	Facts func(ctx context.Context, r store.Reader, c *Call, in *T) (policies.Resource, policies.Facts, error)
	// Prepare does what takes long and needs no transaction, such as hashing a
	// password: once the caller may act and the input is good, before Effect.
	Prepare func(ctx context.Context, c *Call, in *T) error
	// Exactly one of Read and Effect is set. Read prepares an answer that
	// changes nothing; Effect runs inside the transaction of its record.
	Read   func(ctx context.Context, r store.Reader, c *Call, in *T) (*web.Answer, error)
	Effect func(ctx context.Context, tx *store.Tx, c *Call, in *T) (*web.Answer, error)
	// Refusal says a problem in the words of another protocol, before it is
	// recorded; nil: problems stay problems.
	Refusal func(problem *web.Answer) *web.Answer
}

// ErrStale is returned by an effect whose facts no longer hold as the decision
// saw them. Everything is undone and decided anew on fresh facts.
var ErrStale = errors.New("the facts have changed")

const maxAttempts = 5

// Handler makes a route of an operation.
func Handler[T any](g *Gate, op Operation[T]) fiber.Handler {
	return func(c *fiber.Ctx) error {
		return Do(c.UserContext(), g, op, web.Read(c)).Send(c)
	}
}

// Do takes one request through the gate and returns the answer that may leave.
func Do[T any](ctx context.Context, g *Gate, op Operation[T], r *web.Request) *web.Answer {
	in := new(T)
	var fault *web.Problem
	if op.Parse != nil {
		fault = op.Parse(r, in)
	}
	key, keyFault := idempotencyKey(op.Idempotent, r)
	if keyFault != nil {
		fault = keyFault // 400 before 422
	}
	for n := 1; ; n++ {
		c := g.call(r, op.Action)
		c.refusal = op.Refusal
		a, err := attempt(ctx, g, op, c, in, fault, key)
		switch {
		case !errors.Is(err, ErrStale):
			return a
		case n == maxAttempts:
			return g.only(ctx, c, web.NewProblem("conflict", "Others are changing this at the same time; try again.").Answer(r.Event))
		}
	}
}

// attempt is one pass: facts, decision, and the end that the decision gives it.
func attempt[T any](ctx context.Context, g *Gate, op Operation[T], c *Call, in *T, fault *web.Problem, key string) (*web.Answer, error) {
	began := g.Now()
	res, facts, err := op.Facts(ctx, g.Store, c, in)
	began = g.spent(c, web.PartFacts, began)
	if err != nil {
		return g.broken(ctx, c, "store_unavailable", err), nil
	}
	res.ID, c.Related = web.Redact(res.ID), web.Redact(c.Related)
	c.Resource = res
	c.Decision, err = g.Policy.Decide(ctx, question(c, res, facts))
	began = g.spent(c, web.PartDecide, began)
	if err != nil {
		return g.broken(ctx, c, "policy_unavailable", err), nil
	}
	switch {
	case !c.Decision.Allow:
		return g.only(ctx, c, denial(c)), nil
	case fault != nil:
		return g.only(ctx, c, fault.Answer(c.Event)), nil
	case op.Read != nil:
		a, err := op.Read(ctx, g.Store, c, in)
		if err != nil {
			p := problemOf(err)
			if p == nil {
				return g.broken(ctx, c, "store_unavailable", err), nil
			}
			a = p.Answer(c.Event)
		}
		return g.only(ctx, c, a), nil
	}
	if op.Prepare != nil {
		err := op.Prepare(ctx, c, in)
		g.spent(c, web.PartPrepare, began)
		if err != nil {
			return g.broken(ctx, c, "store_unavailable", err), nil
		}
	}
	return effect(ctx, g, op, c, in, key)
}

// effect runs the effect and its record in one transaction.
func effect[T any](ctx context.Context, g *Gate, op Operation[T], c *Call, in *T, key string) (*web.Answer, error) {
	var a *web.Answer
	var record *store.Record
	began := g.Now()
	err := g.Store.Write(ctx, func(tx *store.Tx) error {
		var err error
		a, err = once(ctx, tx, c, key, func() (*web.Answer, error) { return op.Effect(ctx, tx, c, in) })
		if err != nil {
			return err
		}
		a = c.worded(a)
		record = g.record(c, a)
		tx.Record(record)
		return nil
	})
	g.spent(c, web.PartCommit, began)
	switch {
	case err == nil:
		g.decided(c, record)
		return a, nil
	case errors.Is(err, ErrStale):
		return nil, err
	case errors.Is(err, store.ErrUnavailable):
		return unrecorded(c, err), nil
	}
	return g.broken(ctx, c, "store_unavailable", err), nil
}

// call begins a pass with a decision id of its own.
func (g *Gate) call(r *web.Request, action string) *Call {
	c := &Call{Request: r, Action: action, DecisionID: g.NewID(), Now: g.Now().UTC()}
	r.Event.Action, r.Event.DecisionID = action, c.DecisionID
	return c
}

// only records an answer that has no effect, and holds it back until the record
// is durable.
func (g *Gate) only(ctx context.Context, c *Call, a *web.Answer) *web.Answer {
	a = c.worded(a)
	began, record := g.Now(), g.record(c, a)
	err := g.Store.Append(ctx, record)
	g.spent(c, web.PartCommit, began)
	if err != nil {
		return unrecorded(c, err)
	}
	g.decided(c, record)
	return a
}

// broken is the end of a request that could not be decided or carried out: it
// is denied, and recorded if the log can be written.
func (g *Gate) broken(ctx context.Context, c *Call, code string, err error) *web.Answer {
	if c.Decision == nil {
		c.Decision = &policies.Decision{Code: code}
	}
	c.Event.Fail(err)
	return g.only(ctx, c, web.NewProblem(code, "Nothing was changed; try again later.").Answer(c.Event))
}
