package pages

import (
	"context"
	"net/url"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Logouts is what signing out needs of package oauth2.
type Logouts interface {
	// Logout checks a client's request that a person be logged out.
	Logout(ctx context.Context, t *store.Tenant, form url.Values) (*oauth2.Logout, error)
	SealLogout(l *oauth2.Logout, tenant string) string
	OpenLogout(sealed, tenant string) (*oauth2.Logout, error)
}

type logoutView struct{ App, Host, Account, Request string }

// Logout ends the session of this browser. It passes the gate; whoever is not
// signed in is signed out already.
func (p *Pages) Logout() fiber.Handler {
	return func(c *fiber.Ctx) error { return p.signOut(c, p.endOwn(), "/") }
}

// signOut ends the session by op and sends the browser on.
func (p *Pages) signOut(c *fiber.Ctx, op gate.Operation[endInput], next string) error {
	a := pass(c, p, op)
	if a.Status == fiber.StatusSeeOther || a.Status == fiber.StatusUnauthorized && a.Code != insufficient {
		p.Session.Forget(c)
		return see(next, a.Code).Send(c)
	}
	return p.show(c, a)
}

// LogoutRequest is GET /oauth2/logout (OpenID Connect RP-Initiated Logout):
// the request of a client, or one that was sealed by [Pages.PostLogoutRequest].
// Without an ID token of this very session the person is asked: a link must not
// be able to sign people out.
func (p *Pages) LogoutRequest() fiber.Handler {
	return func(c *fiber.Ctx) error {
		r := web.Read(c)
		q, err := url.ParseQuery(r.RawQuery)
		if err != nil || !plain(q) {
			return p.noLogout(c, "The request can't be parsed.")
		}
		l, problem := p.logoutOf(c, q)
		if problem != "" {
			return p.noLogout(c, problem)
		}
		k := authn.SignedIn(c)
		switch {
		case k == nil:
			return see(afterLogout(l), "ok").Send(c)
		case l.Proves(k.ID, k.GrantID):
			return p.signOut(c, p.endHinted(), afterLogout(l))
		}
		return p.askLogout(c, k, l)
	}
}

// PostLogoutRequest is POST /oauth2/logout: the person's answer, or the request of
// a client in a form. That comes from another site, and so without the cookie of
// the session; the browser is sent to ask once more by GET, which has it.
func (p *Pages) PostLogoutRequest() fiber.Handler {
	return func(c *fiber.Ctx) error {
		r := web.Read(c)
		f, fault := form(r)
		if fault != nil {
			return p.refuse(c, fault)
		}
		l, problem := p.logoutOf(c, f)
		switch {
		case problem != "":
			return p.noLogout(c, problem)
		case !f.Has("csrf"):
			return see("/oauth2/logout?request="+p.Logouts.SealLogout(l, web.TenantOf(c).ID), "ok").Send(c)
		case authn.SignedIn(c) == nil:
			return see(afterLogout(l), "ok").Send(c)
		}
		return p.signOut(c, p.endOwn(), afterLogout(l))
	}
}

// logoutOf is the request in a form or query; else what is wrong with it.
func (p *Pages) logoutOf(c *fiber.Ctx, f url.Values) (l *oauth2.Logout, problem string) {
	t := web.TenantOf(c)
	var err error
	if f.Has("request") {
		if l, err = p.Logouts.OpenLogout(f.Get("request"), t.ID); err != nil {
			return nil, "It waited for too long. Please go back to the app and sign out again."
		}
		return l, ""
	}
	if l, err = p.Logouts.Logout(c.UserContext(), t, f); err != nil {
		refused := oauth2.Refusal(err)
		if refused.Status >= fiber.StatusInternalServerError {
			web.EventOf(c).Fail(err)
		}
		return nil, refused.Description
	}
	web.EventOf(c).Client = l.ClientID
	return l, ""
}

// askLogout asks the person.
func (p *Pages) askLogout(c *fiber.Ctx, k *web.Caller, l *oauth2.Logout) error {
	u, err := store.GetUser(c.UserContext(), p.Store, k.Tenant, k.ID)
	if err != nil {
		return p.Refusal(c, web.NewProblem("store_unavailable", "You are still signed in. Please try again in a minute.").Because(err))
	}
	v := base(c, "Sign out?")
	v.CSRF, v.formTo = p.Forms.Token(k), formTarget(l.Redirect)
	view := logoutView{App: l.ClientName, Account: u.Email, Request: p.Logouts.SealLogout(l, k.Tenant)}
	if to, err := url.Parse(l.Redirect); err == nil {
		view.Host = to.Host
	}
	v.Page = view
	return page(fiber.StatusOK, "logout", v).Send(c)
}

// noLogout says that nothing was done. The browser goes nowhere.
func (p *Pages) noLogout(c *fiber.Ctx, detail string) error {
	p.count(c, web.BadRequest(detail))
	return p.errorPage(c, fiber.StatusBadRequest, "invalid_request", "This sign-out can't be done", detail)
}

// endHinted ends the session that the request came in, without a form: the ID
// token took its place.
func (p *Pages) endHinted() gate.Operation[endInput] {
	op := p.endOwn()
	op.Parse = func(r *web.Request, in *endInput) *web.Problem {
		in.id = r.Caller.GrantID
		return nil
	}
	return op
}

func afterLogout(l *oauth2.Logout) string {
	if l.Redirect == "" {
		return "/"
	}
	return l.Redirect
}

// plain reports whether all of it is text that can be handed on.
func plain(q url.Values) bool {
	for name, values := range q {
		for _, v := range append(values, name) {
			if !utf8.ValidString(v) {
				return false
			}
		}
	}
	return true
}
