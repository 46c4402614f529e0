package pages

import (
	"context"
	"errors"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// How many attempts to sign in there may be in a minute.
const (
	triesPerAccount = 5
	triesPerAddress = 20
)

// wrongPassword is the one answer to an unknown address, a disabled account and
// a wrong password.
const wrongPassword = "The email address or the password is not right."

type loginView struct {
	Email, ReturnTo string
	App             string       // that the person came from; empty: none
	flow            *oauth2.Flow // that waits for the login; nil: none
}

// Login is the page to sign in.
func (p *Pages) Login() fiber.Handler {
	return func(c *fiber.Ctx) error {
		r := web.Read(c)
		in := p.waiting(c, query(r, "return_to"))
		again := in.flow == nil && query(r, "again") == "true"
		if k := authn.SignedIn(c); k != nil && !again && (in.flow == nil || in.flow.Suits(personOf(k))) {
			return see(in.ReturnTo, "ok").Send(c)
		}
		if in.flow != nil {
			in.Email = in.flow.LoginHint
		}
		return p.loginPage(c, fiber.StatusOK, "ok", "", in).Send(c)
	}
}

// PostLogin signs a person in.
func (p *Pages) PostLogin() fiber.Handler {
	return func(c *fiber.Ctx) error {
		r := web.Read(c)
		f, fault := form(r)
		if fault != nil {
			return p.refuse(c, fault)
		}
		in := p.waiting(c, f.Get("return_to"))
		in.Email = f.Get("email")
		if !p.Forms.CheckLogin(c, f.Get("csrf")) {
			p.count(c, web.NewProblem("denied", formTooOld))
			return p.loginPage(c, fiber.StatusForbidden, "denied", formTooOld, in).Send(c)
		}
		if wait, ok := p.mayTry(r, in.Email); !ok {
			return p.throttled(c, wait, in)
		}
		u, err := p.person(c.UserContext(), r.Tenant.ID, in.Email, f.Get("password"))
		if errors.Is(err, errWrong) {
			if err = p.failed(c.UserContext(), r, u, in.Email); err == nil {
				return p.wrong(c, in)
			}
		}
		if err == nil {
			err = p.signIn(c, r, u, "pwd")
		}
		if err != nil {
			return p.Refusal(c, web.NewProblem("store_unavailable", "You are not signed in. Please try again in a minute.").Because(err))
		}
		r.Event.Subject = u.ID
		return see(in.ReturnTo, "ok").Send(c)
	}
}

var errWrong = errors.New("wrong address or password")

// signIn begins a session, with its record.
func (p *Pages) signIn(c *fiber.Ctx, r *web.Request, u *store.User, amr ...string) error {
	return p.Session.Begin(c, u, func(b authn.Begun) *store.Record {
		return p.Events.Record(gate.Event{
			What: gate.LoginSucceeded{AMR: amr, Replaced: b.Replaced, Again: b.Again}, Tenant: u.Tenant, Request: r.Event,
			Subject: gate.Party{Type: u.Type, ID: u.ID}, Proof: gate.Proof{Method: "password", Status: web.Valid},
			Resource: gate.Party{Type: "session", ID: b.Session}, Grant: b.Session,
		})
	}, amr...)
}

// failed records an attempt to sign in that was refused, before the answer says
// so. The record of an account that there is not costs the same time.
func (p *Pages) failed(ctx context.Context, r *web.Request, u *store.User, email string) error {
	what := gate.LoginFailed{Reason: gate.WrongPassword}
	ev := gate.Event{Tenant: r.Tenant.ID, Request: r.Event, Proof: gate.Proof{Method: "password", Status: web.Invalid}}
	if u == nil {
		what.Reason, what.Unknown = gate.UnknownAccount, p.Forms.Bucket(r.Tenant.ID, email)
	} else {
		ev.Subject = gate.Party{Type: u.Type, ID: u.ID}
		ev.Resource = ev.Subject
		if !u.DisabledAt.IsZero() {
			what.Reason = gate.DisabledAccount
		}
	}
	ev.What = what
	return p.Events.Append(ctx, ev)
}

// person finds who signs in. It does the same work for those who are not there.
func (p *Pages) person(ctx context.Context, tenant, email, password string) (*store.User, error) {
	u, err := p.Store.UserByEmail(ctx, tenant, email)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	hash := ""
	if u != nil && u.DisabledAt.IsZero() {
		hash = u.PasswordHash
	}
	ok, err := p.Passwords.Verify(ctx, hash, password)
	if err == nil && !ok {
		err = errWrong
	}
	return u, err
}

// mayTry charges an attempt to the address that it comes from, then to the
// account that it is for, whether there is one or not.
func (p *Pages) mayTry(r *web.Request, email string) (wait time.Duration, ok bool) {
	if p.Throttle == nil {
		return 0, true
	}
	tenant := r.Tenant.ID + "\x00"
	if wait, ok = p.Throttle("login address\x00"+tenant+web.Network(r.Origin.IP), triesPerAddress); !ok {
		return wait, false
	}
	email = store.NormalEmail(email)
	return p.Throttle("login account\x00"+tenant+email[:min(len(email), 256)], triesPerAccount)
}

func (p *Pages) wrong(c *fiber.Ctx, in loginView) error {
	a := p.loginPage(c, fiber.StatusUnauthorized, "invalid_credentials", wrongPassword, in)
	// RFC 9110 §11.6.1 wants a challenge with a 401; browsers know nothing to do
	// with this one, and show the page.
	a.Header[fiber.HeaderWWWAuthenticate] = `Bearer realm="` + web.TenantOf(c).Issuer + `"`
	return a.Send(c)
}

func (p *Pages) throttled(c *fiber.Ctx, wait time.Duration, in loginView) error {
	s := max(1, int(math.Ceil(wait.Seconds())))
	const alert = "That was tried too often. Please wait a minute, then try again."
	p.count(c, web.NewProblem("rate_limited", alert))
	a := p.loginPage(c, fiber.StatusTooManyRequests, "rate_limited", alert, in)
	a.Header[fiber.HeaderRetryAfter] = strconv.Itoa(s)
	return a.Send(c)
}

// loginPage shows the form. Whoever is signed in learns why it is there again.
func (p *Pages) loginPage(c *fiber.Ctx, status int, code, alert string, in loginView) *web.Answer {
	v := base(c, "Sign in")
	v.CSRF, v.Alert, v.Page = p.Forms.LoginToken(c), alert, in
	if alert == "" && authn.SignedIn(c) != nil {
		v.Notice = "Please sign in again, so that we can be sure that it is you."
	}
	if in.flow != nil {
		v.formTo = formTarget(in.flow.RedirectURI) // the request can end there without another page
	}
	a := page(status, "login", v)
	a.Code = code
	return a
}

// waiting is where a login leads, and the authorization request that waits for
// it there, if there is one. What it demands is sealed: nothing that stands in
// the link besides counts.
func (p *Pages) waiting(c *fiber.Ctx, returnTo string) loginView {
	in := loginView{ReturnTo: localPath(returnTo)}
	u, err := url.Parse(in.ReturnTo)
	if err != nil || u.Path != "/oauth2/authorize/continue" {
		return in
	}
	if f, err := p.Logins.OpenLogin(u.Query().Get("flow"), web.TenantOf(c).ID); err == nil {
		in.flow, in.App = f, f.ClientName
	}
	return in
}

// personOf is the signed-in person as package oauth2 knows them.
func personOf(k *web.Caller) oauth2.Person {
	return oauth2.Person{ID: k.ID, Type: k.Type, Roles: k.Roles, AuthTime: k.AuthTime, AMR: k.AMR, Session: k.GrantID}
}
