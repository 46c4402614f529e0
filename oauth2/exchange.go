package oauth2

import (
	"context"
	"errors"
	"time"

	"github.com/pointgate/pointgate/store"
)

// exchange is what one request knows and gathers on its way through fosite's
// handlers: they call the storage one statement at a time, here the statements
// wait and are run together, in one write: that of the decision about them, or,
// for what needs none, one of their own. It belongs to one goroutine.
type exchange struct {
	tenant *store.Tenant
	now    time.Time

	request *Request     // of a client; nil where a person acts
	client  *client      // that was asked for or authenticated
	method  string       // how it was
	act     Act          // what a refresh amounts to, for the policy
	claimed string       // id of a client that there is, without its secret
	proof   *proof       // of the key that the tokens will be bound to; nil: no DPoP
	cnf     string       // what they will be bound to; "" is nothing
	pushed  bool         // the authorization request came from the client itself
	code    *store.Code  // that is presented, or, on consent, made
	grant   *store.Grant // that is made
	// standing is of the grant that tokens are given for.
	standing store.Standing
	key      *signingKey // signs what is given; nil where nothing is, or keyFault says why
	keyFault error
	access   *store.AccessToken
	replay   *Answer // of a refresh, new or again
	replayed bool    // it is again
	steps    []step
	event    *Event // what the steps amount to; nil: nothing to tell
	record   func(tx *store.Tx, e *Event)
	fault    error // of the store; fosite swallows some errors or renames them
	granted  struct {
		id   string
		ends time.Time
	}
}

type step func(ctx context.Context, tx *store.Tx) error

type exchangeKey struct{}

func (p *Provider) begin(ctx context.Context, t *store.Tenant) (context.Context, *exchange) {
	x := &exchange{tenant: t, now: store.At(p.now()).Time, record: p.recordTo(ctx)}
	return context.WithValue(ctx, exchangeKey{}, x), x
}

// receive is begin for what a client sent.
func (p *Provider) receive(ctx context.Context, r *Request) (context.Context, *exchange) {
	ctx, x := p.begin(ctx, r.Tenant)
	x.request = r
	if len(r.DPoP) > 0 {
		r.Nonce = p.Nonce(r.Tenant)
	}
	return ctx, x
}

func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// failed notes an error of the store that is not merely a row that is missing.
func (x *exchange) failed(err error) error {
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		x.fault = err
	}
	return err
}

func (x *exchange) add(s step) { x.steps = append(x.steps, s) }

// kept is a refusal whose statements stay: the revocation that it is about.
type kept struct{ refusal *Error }

// Error implements error.
func (k kept) Error() string { return k.refusal.Error() }

// commit runs the steps in a write of their own: for what nobody is asked about,
// as the end of a grant whose token was used twice. What a step refuses undoes
// all, but for a refusal that is kept.
func (p *Provider) commit(ctx context.Context, x *exchange) error {
	var refusal error
	err := p.store.Write(ctx, func(tx *store.Tx) error {
		refusal = nil
		err := x.run(ctx, tx)
		if e := (*Error)(nil); errors.As(err, &e) && e.Kept {
			refusal = e
			return nil
		}
		return err
	})
	x.steps = nil
	if err != nil {
		if e := (*Error)(nil); !errors.As(err, &e) {
			x.fault = err
		}
		return err
	}
	return refusal
}

// end is the error that the caller gets for what fosite or a step returned.
func (x *exchange) end(err error) error {
	if x.fault != nil {
		return unavailable(x.fault)
	}
	return errorOf(err)
}

// soonest is the time after lifetime, or limit if that comes first.
func (x *exchange) soonest(lifetime time.Duration, limit time.Time) store.Time {
	t := x.now.Add(lifetime)
	if limit.Before(t) {
		t = limit
	}
	return store.At(t)
}
