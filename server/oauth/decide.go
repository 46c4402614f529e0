package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"maps"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// decide takes what a request comes to through the gate: the policy says
// whether it may be given, and it is given in the write that records that.
// refused says a problem in the words of the endpoint; see [rfc].
func decide[T any](c *fiber.Ctx, g *gate.Gate, p *oauth2.Prepared[T], answer func(T) *web.Answer, refused words) *web.Answer {
	op := operation(&p.Act, refused)
	op.Effect = func(ctx context.Context, tx *store.Tx, _ *gate.Call, _ *struct{}) (*web.Answer, error) {
		given, err := p.Commit(ctx, tx)
		var refused *oauth2.Error
		switch {
		case errors.As(err, &refused) && refused.Kept:
			return refusal{refused}.Answer(nil), nil
		case errors.As(err, &refused):
			return nil, refusal{refused} // undoes what was written
		case err != nil:
			return nil, err
		}
		return answer(given), nil
	}
	return pass(c, g, &p.Act, op)
}

// ask takes a question through the gate that changes nothing.
func ask(c *fiber.Ctx, g *gate.Gate, a *oauth2.Act, answer func() *web.Answer, refused words) *web.Answer {
	op := operation(a, refused)
	op.Read = func(context.Context, store.Reader, *gate.Call, *struct{}) (*web.Answer, error) { return answer(), nil }
	return pass(c, g, a, op)
}

// operation is an act as the gate knows it. Its facts are those that were
// gathered while it was prepared.
func operation(a *oauth2.Act, refused words) gate.Operation[struct{}] {
	return gate.Operation[struct{}]{
		Action: a.Action, Refusal: refused,
		Facts: func(_ context.Context, _ store.Reader, c *gate.Call, _ *struct{}) (policies.Resource, policies.Facts, error) {
			res := policies.Resource{Type: a.Object.Type, ID: a.Object.ID, Owner: a.Object.Owner}
			if res.ID != "" {
				res.Tenant = c.Tenant.ID
			}
			return res, a.Facts, nil
		},
	}
}

func pass(c *fiber.Ctx, g *gate.Gate, a *oauth2.Act, op gate.Operation[struct{}]) *web.Answer {
	r := web.Read(c)
	r.Caller = caller(r.Tenant, a)
	answer := gate.Do(recording(c), g, op, r)
	for _, name := range []string{"X-OAuth-Scopes", "X-Accepted-OAuth-Scopes", fiber.HeaderWWWAuthenticate} {
		delete(answer.Header, name) // these are of APIs that take tokens
	}
	return answer
}

// caller is who an act is for, through which client.
func caller(t *store.Tenant, a *oauth2.Act) *web.Caller {
	k := &web.Caller{
		Method: a.Method, Status: web.Valid, Type: a.SubjectType, ID: a.Subject, Tenant: t.ID, Roles: a.Roles,
		Actor: a.Actor, Scopes: a.Scopes, AuthTime: a.AuthTime, AMR: a.AMR, ACR: oauth2.ACR(a.AMR), Bound: a.Bound, GrantID: a.GrantID,
	}
	if a.Client != nil {
		k.ClientID, k.Trusted = a.Client.ID, a.Client.Trusted
	}
	return k
}

// refusal is an [oauth2.Error] that ends an effect, with its answer.
type refusal struct{ e *oauth2.Error }

// Error implements error.
func (r refusal) Error() string { return r.e.Error() }

// Answer makes it the answer of RFC 6749 §5.2.
func (r refusal) Answer(*web.Event) *web.Answer {
	body, _ := json.Marshal(errorBody{r.e.Code, r.e.Description}) // strings: can't fail
	return &web.Answer{Status: r.e.Status, Body: body, Code: r.e.Code}
}

// errorBody is an error of RFC 6749 §5.2.
type errorBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// words says a problem as an endpoint does; what is recorded is what it returns.
type words = func(problem *web.Answer) *web.Answer

// rfc says a problem as an error of RFC 6749: a denial by the policy is code,
// unless the rule has one that the RFCs know.
func rfc(code string) words {
	return func(a *web.Answer) *web.Answer {
		e := oauth2.PolicyDenied(code, a.Code)
		if a.Status >= fiber.StatusInternalServerError {
			e = oauth2.Unavailable()
		}
		return instead(a, refusal{e}.Answer(nil))
	}
}

// instead is another answer to what a problem was about.
func instead(problem, a *web.Answer) *web.Answer {
	if a.Header == nil {
		a.Header = map[string]string{}
	}
	maps.Copy(a.Header, problem.Header)
	a.Code = problem.Code
	return a
}
