package pages

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// none is the input of an operation that has none.
type none struct{}

// own is a resource of the caller's: the list of all their things of a type.
func own(c *gate.Call, kind string) policies.Resource {
	return policies.Resource{Type: kind, ID: c.Caller.ID, Owner: c.Caller.ID, Tenant: c.Caller.Tenant}
}

// Account is who the person is here, and the way to the other pages.
func (p *Pages) Account() fiber.Handler {
	return protect(p, gate.Operation[none]{
		Action: "session.read",
		Facts: func(_ context.Context, _ store.Reader, c *gate.Call, _ *none) (policies.Resource, policies.Facts, error) {
			return policies.Resource{Type: "session", ID: c.Caller.GrantID, Owner: c.Caller.ID, Tenant: c.Caller.Tenant}, nil, nil
		},
		Read: func(ctx context.Context, r store.Reader, c *gate.Call, _ *none) (*web.Answer, error) {
			v, u, err := p.personal(ctx, r, c, "Your account")
			if err != nil {
				return nil, err
			}
			v.Page = struct {
				*store.User
				Since store.Time
				Fresh bool // an administrator who was made a moment ago
			}{u, store.At(c.Caller.AuthTime), v.Staff && query(c.Request, "done") == "setup"}
			return page(fiber.StatusOK, "account", v), nil
		},
	})
}

// personal is the view of a page for the signed-in person.
func (p *Pages) personal(ctx context.Context, r store.Reader, c *gate.Call, title string) (view, *store.User, error) {
	u, err := store.GetUser(ctx, r, c.Caller.Tenant, c.Caller.ID)
	if err != nil {
		return view{}, nil, err
	}
	return view{
		Title: title, Tenant: c.Tenant.Name, Here: c.Path, Person: u.Email, Staff: u.Type == "staff", Builds: c.Tenant.Registration == oauth2.RegistrationOpen, CSRF: p.Forms.Token(c.Caller),
		Notice: notices[query(c.Request, "done")],
	}, u, nil
}

// notices say what the form that led here did.
var notices = map[string]string{
	"revoked": "The app has been disconnected. Its access ended at once.",
	"ended":   "The session has been ended.",
	"others":  "You are signed out everywhere else.",
	"setup":   "The administrator is made, and you are signed in.",
	"app":     "The app has been changed.",
	"deleted": "The app has been deleted. All that people allowed it ended at once.",
	"token":   "The token has been revoked. The next request with it is refused.",
}
