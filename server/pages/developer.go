package pages

import (
	"context"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// mostApps is how many apps a person may register: enough for what one person
// builds, few enough to look through.
const mostApps = 20

type developerView struct {
	Apps []store.Client
	Open bool // apps may be registered here
	Full bool // the person has as many as they may
	Most int
}

// Developer lists the apps that the person has registered.
func (p *Pages) Developer() fiber.Handler {
	return protect(p, gate.Operation[none]{
		Action: "client.list", Facts: ownClients,
		Read: func(ctx context.Context, r store.Reader, c *gate.Call, _ *none) (*web.Answer, error) {
			v, _, err := p.personal(ctx, r, c, "Your apps")
			if err != nil {
				return nil, err
			}
			apps, err := store.OwnedClients(ctx, r, c.Tenant.ID, c.Caller.ID, listed)
			v.Here = "/developer"
			v.Page = developerView{Apps: apps, Open: c.Tenant.Registration == oauth2.RegistrationOpen, Full: len(apps) >= mostApps, Most: mostApps}
			return page(fiber.StatusOK, "developer", v), err
		},
	})
}

func ownClients(_ context.Context, _ store.Reader, c *gate.Call, _ *none) (policies.Resource, policies.Facts, error) {
	return own(c, "client"), nil, nil
}

// NewApp is the form to register an app.
func (p *Pages) NewApp() fiber.Handler {
	return protect(p, gate.Operation[none]{
		Action: "client.list", Facts: ownClients,
		Read: func(ctx context.Context, r store.Reader, c *gate.Call, _ *none) (*web.Answer, error) {
			return p.newAppPage(ctx, r, c, &appForm{Scopes: []string{"points:read"}, Kind: confidential}, nil)
		},
	})
}

// newAppPage shows the form as it is filled in; refused is why nothing was made
// of it, or nil.
func (p *Pages) newAppPage(ctx context.Context, r store.Reader, c *gate.Call, in *appForm, refused *web.Problem) (*web.Answer, error) {
	v, _, err := p.personal(ctx, r, c, "A new app")
	if err != nil {
		return nil, err
	}
	v.Here, v.Page = "/developer", in.view(c.Tenant)
	return answerForm("developer_new", v, refused), nil
}

// answerForm shows a page with its form, and what was wrong with what was filled in.
func answerForm(name string, v view, refused *web.Problem) *web.Answer {
	if refused == nil {
		return page(fiber.StatusOK, name, v)
	}
	v.Alert = refused.Detail
	a := page(refused.Status, name, v)
	a.Code = refused.Code
	return a
}

// MakeApp registers an app. Its answer is the only one that holds the secret.
func (p *Pages) MakeApp() fiber.Handler {
	return protect(p, gate.Operation[appForm]{
		Action: "client.register", Parse: p.parseApp,
		Facts: func(_ context.Context, _ store.Reader, c *gate.Call, in *appForm) (policies.Resource, policies.Facts, error) {
			in.client = oauth2.NewApp(c.Tenant, c.Caller.ID, in.Kind == public, c.Now)
			in.describe(in.client)
			res := policies.Resource{Type: "client", ID: in.client.ID, Owner: c.Caller.ID, Tenant: c.Tenant.ID}
			return res, oauth2.RegistrationFacts(c.Tenant, in.client), nil
		},
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, in *appForm) (*web.Answer, error) {
			if err := sessionStands(ctx, tx, c); err != nil {
				return nil, err
			}
			n, err := store.CountClients(ctx, tx, c.Tenant.ID, "developer", c.Caller.ID)
			if err != nil {
				return nil, err
			}
			refused := in.wrong(c.Tenant, in.client)
			if refused == nil && n >= mostApps {
				refused = web.NewProblem("conflict", "You have as many apps as one person can have. Please delete one that you no longer need.")
			}
			if refused != nil {
				return p.newAppPage(ctx, tx, c, in, refused)
			}
			if err := tx.InsertClient(ctx, in.client); err != nil {
				return nil, err
			}
			secret, err := giveSecret(ctx, tx, c, in.client)
			if err != nil {
				return nil, err
			}
			return p.appPage(ctx, tx, c, &shownApp{client: in.client, secret: secret, status: fiber.StatusCreated})
		},
	})
}

// giveSecret gives a confidential app another secret, and returns it.
func giveSecret(ctx context.Context, tx *store.Tx, c *gate.Call, app *store.Client) (string, error) {
	if !oauth2.HasSecret(app) {
		return "", nil
	}
	secret := oauth2.NewSecret()
	return secret, tx.InsertClientSecret(ctx, &store.ClientSecret{
		ID: "sec_" + c.DecisionID, Tenant: app.Tenant, ClientID: app.ID, Hash: oauth2.HashSecret(secret), CreatedAt: store.At(c.Now),
	})
}

// findApp is one that the person registered. Another's is as one that is not there.
func findApp(ctx context.Context, r store.Reader, c *gate.Call, id string) (*store.Client, error) {
	app, err := store.GetClient(ctx, r, c.Tenant.ID, id)
	if err == nil && (app.RegisteredBy != "developer" || app.Owner != c.Caller.ID) {
		return nil, store.ErrNotFound
	}
	return app, err
}

// appFacts says whose the app of the path is.
func appFacts(ctx context.Context, r store.Reader, c *gate.Call, in *appForm) (policies.Resource, policies.Facts, error) {
	res := policies.Resource{Type: "client", ID: in.id}
	app, err := store.GetClient(ctx, r, c.Tenant.ID, in.id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return res, nil, nil
	case err != nil:
		return res, nil, err
	}
	res.Tenant = app.Tenant
	if app.RegisteredBy == "developer" {
		res.Owner = app.Owner
	}
	will := *app
	if in.posted {
		in.describe(&will)
	}
	return res, oauth2.RegistrationFacts(c.Tenant, &will), nil
}

// lines are the lines of a text that are not empty.
func lines(s string) (out []string) {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
