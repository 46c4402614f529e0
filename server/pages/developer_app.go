package pages

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// shownApp is an app as its page shows it.
type shownApp struct {
	client  *store.Client
	form    *appForm // as it is filled in; nil: as the app is
	secret  string   // new, shown this once
	ends    store.Time
	status  int
	refused *web.Problem
}

type appPageView struct {
	newAppView
	Client    *store.Client
	HasSecret bool
	Secret    string
	OldEnds   store.Time // of the secrets before a new one
	Issuer    string
	Endpoints [][2]string
	Scope     string // for the example
	Redirect  string
	Overlaps  []choice
}

// App is the page of one app.
func (p *Pages) App() fiber.Handler {
	return protect(p, gate.Operation[appForm]{
		Action: "client.read", Parse: p.parseAppID, Facts: appFacts,
		Read: func(ctx context.Context, r store.Reader, c *gate.Call, in *appForm) (*web.Answer, error) {
			app, err := findApp(ctx, r, c, in.id)
			if err != nil {
				return nil, err
			}
			return p.appPage(ctx, r, c, &shownApp{client: app, status: fiber.StatusOK})
		},
	})
}

func (p *Pages) appPage(ctx context.Context, r store.Reader, c *gate.Call, s *shownApp) (*web.Answer, error) {
	v, _, err := p.personal(ctx, r, c, s.client.Name)
	if err != nil {
		return nil, err
	}
	app, t := s.client, c.Tenant
	if s.form == nil {
		s.form = &appForm{Name: app.Name, Homepage: app.Homepage, Redirects: strings.Join(app.RedirectURIs, "\n"), Scopes: app.Scopes}
	}
	pv := appPageView{
		newAppView: s.form.view(t), Client: app, HasSecret: oauth2.HasSecret(app), Secret: s.secret, OldEnds: s.ends, Issuer: t.Issuer,
		Scope: strings.Join(app.Scopes, " "),
		Endpoints: [][2]string{
			{"Issuer", t.Issuer}, {"Authorization", t.Issuer + "/oauth2/authorize"}, {"Token", t.Issuer + "/oauth2/token"},
			{"Revocation", t.Issuer + "/oauth2/revoke"}, {"All of them", t.Issuer + "/.well-known/oauth-authorization-server"},
		},
	}
	if len(app.RedirectURIs) > 0 {
		pv.Redirect = app.RedirectURIs[0]
	}
	for _, h := range overlaps {
		pv.Overlaps = append(pv.Overlaps, choice{strconv.Itoa(h), overlapText[h], h == usualOverlap})
	}
	v.Here, v.Page = "/developer", pv
	if s.refused != nil {
		return answerForm("developer_app", v, s.refused), nil
	}
	return page(s.status, "developer_app", v), nil
}

var overlapText = map[int]string{0: "end at once", 1: "work for 1 hour", 24: "work for 24 hours", 168: "work for 7 days"}

// EditApp changes what the developer says of an app. Where its answers go
// decides who gets them, so people are asked again once that changes.
func (p *Pages) EditApp() fiber.Handler {
	return protect(p, gate.Operation[appForm]{
		Action: "client.update", Parse: p.parseApp, Facts: appFacts,
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, in *appForm) (*web.Answer, error) {
			was, err := ownApp(ctx, tx, c, in)
			if err != nil {
				return nil, err
			}
			app := *was
			in.describe(&app)
			if refused := in.wrong(c.Tenant, &app); refused != nil {
				return p.appPage(ctx, tx, c, &shownApp{client: was, form: in, refused: refused})
			}
			if !slices.Equal(was.RedirectURIs, app.RedirectURIs) {
				if err := tx.Forget(ctx, store.ConsentMatch{Tenant: app.Tenant, Client: app.ID}); err != nil {
					return nil, err
				}
			}
			return see("/developer/apps/"+app.ID+"?done=app", "ok"), tx.UpdateClient(ctx, &app)
		},
	})
}

// ownApp is the app that a form is about, if the session that sent it stands.
func ownApp(ctx context.Context, tx *store.Tx, c *gate.Call, in *appForm) (*store.Client, error) {
	if err := sessionStands(ctx, tx, c); err != nil {
		return nil, err
	}
	return findApp(ctx, tx, c, in.id)
}

// RotateSecret gives an app a new secret. Those before it live on for the
// overlap that was chosen, so that the app can be changed without a gap.
func (p *Pages) RotateSecret() fiber.Handler {
	return protect(p, gate.Operation[appForm]{
		Action: "client.rotate", Parse: p.parseAppAct, Facts: appFacts,
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, in *appForm) (*web.Answer, error) {
			app, err := ownApp(ctx, tx, c, in)
			if err != nil {
				return nil, err
			}
			switch {
			case !oauth2.HasSecret(app):
				return nil, web.NewProblem("conflict", "This app has no secret.")
			case in.Overlap < 0:
				return p.appPage(ctx, tx, c, &shownApp{client: app, refused: web.NewProblem("validation_failed", "Please choose how long the old secret works.")})
			}
			ends := store.At(c.Now.Add(time.Duration(in.Overlap) * time.Hour))
			if _, err := tx.ExpireClientSecrets(ctx, app.Tenant, app.ID, ends); err != nil {
				return nil, err
			}
			secret, err := giveSecret(ctx, tx, c, app)
			if err != nil {
				return nil, err
			}
			return p.appPage(ctx, tx, c, &shownApp{client: app, secret: secret, ends: ends, status: fiber.StatusCreated})
		},
	})
}

// DeleteApp removes an app, and ends all that people gave to it.
func (p *Pages) DeleteApp() fiber.Handler {
	return protect(p, gate.Operation[appForm]{
		Action: "client.delete", Parse: p.parseAppAct, Facts: appFacts,
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, in *appForm) (*web.Answer, error) {
			app, err := ownApp(ctx, tx, c, in)
			if err != nil {
				return nil, err
			}
			if !in.Sure {
				return p.appPage(ctx, tx, c, &shownApp{client: app, refused: web.NewProblem("validation_failed", "Please tick that you are sure.")})
			}
			return see("/developer?done=deleted", "ok"), tx.DeleteClient(ctx, app.Tenant, app.ID, c.Caller.ID)
		},
	})
}
