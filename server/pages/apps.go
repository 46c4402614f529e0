package pages

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// listed is how many apps or sessions a page shows, the newest first.
const listed = 100

// maxGrants bounds what is read of a person's authorizations: an app that they
// open each day has one for each time.
const maxGrants = 1000

type appView struct {
	Client, Name string
	May          []mayView
	Since        store.Time
	LastUsed     store.Time // zero: not yet
	LastIP       string
	Asks         bool // it has no access now, and gets it without a question
}

// mayView is what an app may do at one server.
type mayView struct {
	At     string   // its name; empty: here
	Scopes []string // in plain words
}

// Apps lists what the person has allowed to whom, one card for each app. What
// was exchanged for an app's token ends with the app, and is no app of its own.
func (p *Pages) Apps() fiber.Handler {
	return protect(p, gate.Operation[none]{
		Action: "grant.list",
		Facts: func(_ context.Context, _ store.Reader, c *gate.Call, _ *none) (policies.Resource, policies.Facts, error) {
			return own(c, "grant"), nil, nil
		},
		Read: func(ctx context.Context, r store.Reader, c *gate.Call, _ *none) (*web.Answer, error) {
			v, u, err := p.personal(ctx, r, c, "Connected apps")
			if err != nil {
				return nil, err
			}
			v.Page, err = apps(ctx, r, c.Tenant, u, c.Now)
			return page(fiber.StatusOK, "apps", v), err
		},
	})
}

// app is what one client may do for a person.
type app struct {
	view   appView
	scopes map[string][]string // by audience; empty: the tenant's API
}

// apps gathers what is live and what is remembered, those first that were used
// last.
func apps(ctx context.Context, r store.Reader, t *store.Tenant, u *store.User, now time.Time) ([]appView, error) {
	grants, err := store.Grants(ctx, r, store.GrantFilter{Tenant: u.Tenant, Subject: u.ID, LiveAt: store.At(now), Root: true, Limit: maxGrants})
	if err != nil {
		return nil, err
	}
	consents, err := store.Consents(ctx, r, u.Tenant, u.ID, maxGrants)
	if err != nil {
		return nil, err
	}
	all := map[string]*app{}
	for i := range grants {
		all[grants[i].ClientID] = all[grants[i].ClientID].with(&grants[i], t)
	}
	for i := range consents {
		all[consents[i].ClientID] = all[consents[i].ClientID].remembered(&consents[i])
	}
	sorted := slices.SortedFunc(maps.Values(all), func(x, y *app) int {
		a, b := &x.view, &y.view
		return cmp.Or(b.LastUsed.Compare(a.LastUsed.Time), b.Since.Compare(a.Since.Time), cmp.Compare(a.Client, b.Client))
	})
	out := make([]appView, 0, listed)
	for _, a := range sorted[:min(len(sorted), listed)] {
		if err := a.spell(ctx, r, t, u.Type); err != nil {
			return nil, err
		}
		out = append(out, a.view)
	}
	return out, nil
}

func (a *app) with(g *store.Grant, t *store.Tenant) *app {
	if a == nil {
		a = &app{view: appView{Client: g.ClientID, Name: g.ClientName, Since: g.CreatedAt}, scopes: map[string][]string{}}
	}
	audience := ""
	if len(g.Audience) > 0 && g.Audience[0] != t.Resource() {
		audience = g.Audience[0]
	}
	a.add(audience, g.Scopes, g.CreatedAt)
	if g.LastUsedAt.After(a.view.LastUsed.Time) {
		a.view.LastUsed, a.view.LastIP = g.LastUsedAt, g.LastIP
	}
	return a
}

// remembered adds what the app gets again without a question.
func (a *app) remembered(c *store.Consent) *app {
	if a == nil {
		a = &app{view: appView{Client: c.ClientID, Since: c.CreatedAt, Asks: true}, scopes: map[string][]string{}}
	}
	a.add(c.Audience, c.Scopes, c.CreatedAt)
	return a
}

func (a *app) add(audience string, scopes []string, since store.Time) {
	if since.Before(a.view.Since.Time) {
		a.view.Since = since
	}
	for _, s := range scopes {
		if !slices.Contains(a.scopes[audience], s) {
			a.scopes[audience] = append(a.scopes[audience], s)
		}
	}
}

// spell puts names and words to ids.
func (a *app) spell(ctx context.Context, r store.Reader, t *store.Tenant, person string) error {
	if a.view.Name == "" {
		a.view.Name = a.view.Client
		switch c, err := store.GetClient(ctx, r, t.ID, a.view.Client); {
		case err == nil:
			a.view.Name = c.Name
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
	}
	for _, audience := range slices.Sorted(maps.Keys(a.scopes)) {
		at, err := serverName(ctx, r, t.ID, audience)
		if err != nil {
			return err
		}
		a.view.May = append(a.view.May, mayView{At: at, Scopes: words(person, a.scopes[audience])})
	}
	return nil
}

// serverName is how people know the server that tokens are for; empty: this one.
func serverName(ctx context.Context, r store.Reader, tenant, audience string) (string, error) {
	if audience == "" {
		return "", nil
	}
	s, err := store.ResourceAt(ctx, r, tenant, audience, audience)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return audience, nil
	case err != nil:
		return "", err
	}
	return s.Name, nil
}

// words says to a person of this type what scopes let an app do, each to
// complete "it may …".
func words(person string, scopes []string) []string {
	out := make([]string, len(scopes))
	for i, name := range scopes {
		out[i] = name // one that was taken out of the table since
		if s, ok := oauth2.ScopeNamed(name); ok {
			out[i] = s.Words(person)
		}
	}
	return out
}
