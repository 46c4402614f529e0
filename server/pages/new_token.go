package pages

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// mostTokens is how many live API tokens a person may have to make another one:
// enough for each of their machines, few enough to look through.
const mostTokens = 20

// days are the lifetimes to pick from. The admin API's limit of 90 holds here too.
var days = []int{7, 30, 90}

const usualDays = 30

// tokenForm is the form to make a token, as it is filled in.
type tokenForm struct {
	Name   string
	Scopes []string
	Days   int // 0: not a number
}

type newTokenView struct {
	Name, Secret, URL, Try string
	May                    []string
	ExpiresAt              store.Time
}

// MakeToken makes an API token for the person. The answer is the only one that
// ever holds its secret.
func (p *Pages) MakeToken() fiber.Handler {
	return protect(p, gate.Operation[tokenForm]{
		Action: "token.create",
		Parse: func(r *web.Request, in *tokenForm) *web.Problem {
			f, fault := p.signedForm(r, "scope")
			slices.Sort(f["scope"])
			in.Name, in.Scopes = strings.TrimSpace(f.Get("name")), slices.Compact(f["scope"])
			in.Days, _ = strconv.Atoi(f.Get("days")) // what is no number is none of the days
			return fault
		},
		Facts: func(_ context.Context, _ store.Reader, c *gate.Call, _ *tokenForm) (policies.Resource, policies.Facts, error) {
			return own(c, "token"), nil, nil
		},
		Effect: p.makeToken,
	})
}

// makeToken reads the person anew: the token outlives the session that made it,
// so it must not be made of a session or roles that were taken meanwhile.
func (p *Pages) makeToken(ctx context.Context, tx *store.Tx, c *gate.Call, in *tokenForm) (*web.Answer, error) {
	if err := sessionStands(ctx, tx, c); err != nil {
		return nil, err
	}
	v, u, err := p.personal(ctx, tx, c, "Your new API token")
	if err != nil {
		return nil, err
	}
	live, err := liveTokens(ctx, tx, c, mostTokens)
	if err != nil {
		return nil, err
	}
	if refused := in.wrong(p.ScopesOf(u.Roles), len(live)); refused != nil {
		return p.tokensPage(ctx, tx, c, in, refused)
	}
	secret, k := authn.NewKey(authn.TokenPrefix)
	k.Tenant, k.UserID, k.Name, k.Scopes = u.Tenant, u.ID, in.Name, in.Scopes
	k.CreatedAt, k.ExpiresAt = store.At(c.Now), store.At(c.Now.Add(time.Duration(in.Days)*24*time.Hour))
	v.Page = newTokenView{
		Name: k.Name, Secret: secret, URL: c.Tenant.Issuer, Try: try(k.Scopes), May: words(u.Type, k.Scopes), ExpiresAt: k.ExpiresAt,
	}
	return page(fiber.StatusCreated, "new_token", v), tx.InsertAPIKey(ctx, &k)
}

// sessionStands fails if the session was ended, alone or with its person, after
// the request came in.
func sessionStands(ctx context.Context, r store.Reader, c *gate.Call) error {
	s, err := store.GetSession(ctx, r, c.Tenant.ID, c.Caller.GrantID)
	if err == nil && !s.EndedAt.IsZero() {
		return web.NewProblem("revoked_credentials", "You were signed out meanwhile.")
	}
	return err
}

// wrong is why no token can be made of the form, or nil. may are the scopes that
// the person's roles allow, live is how many tokens they have.
func (in *tokenForm) wrong(may []string, live int) *web.Problem {
	beyond := func(scope string) bool { return !slices.Contains(may, scope) }
	switch {
	case !goodName(in.Name):
		return web.NewProblem("validation_failed", wrongName)
	case len(in.Scopes) == 0:
		return web.NewProblem("validation_failed", "Please tick at least one thing that the token may do.")
	case slices.ContainsFunc(in.Scopes, beyond):
		return web.NewProblem("validation_failed", "Your roles do not allow all that was ticked.")
	case !slices.Contains(days, in.Days):
		return web.NewProblem("validation_failed", "Please choose how long the token is good for.")
	case live >= mostTokens:
		return web.NewProblem("conflict", "You have "+strconv.Itoa(mostTokens)+" tokens. Please revoke one that you no longer need.")
	}
	return nil
}

// try is a command that shows that a token with these scopes works, or nothing.
func try(scopes []string) string {
	switch {
	case slices.Contains(scopes, "admin"):
		return "client list"
	case slices.Contains(scopes, "audit:read"):
		return "audit list"
	}
	return ""
}
