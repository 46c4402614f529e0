package pages

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type setupView struct {
	Link, Email, Name string
	MinPassword       int
}

// Setup is the page of a one-time setup link: it makes the first administrator.
func (p *Pages) Setup() fiber.Handler {
	return func(c *fiber.Ctx) error {
		r := web.Read(c)
		in := setupView{Link: query(r, "link")}
		if err := p.goodLink(c, in.Link); err != nil {
			return p.badLink(c, err)
		}
		return p.setupPage(c, nil, in).Send(c)
	}
}

// PostSetup makes the administrator and signs them in.
func (p *Pages) PostSetup() fiber.Handler {
	return func(c *fiber.Ctx) error {
		r := web.Read(c)
		f, fault := form(r)
		if fault != nil {
			return p.refuse(c, fault)
		}
		in := setupView{Link: f.Get("link"), Email: strings.TrimSpace(f.Get("email")), Name: strings.TrimSpace(f.Get("name"))}
		if !p.Forms.CheckLogin(c, f.Get("csrf")) {
			old := web.NewProblem("denied", formTooOld)
			p.count(c, old)
			return p.setupPage(c, old, in).Send(c)
		}
		if err := p.goodLink(c, in.Link); err != nil {
			return p.badLink(c, err)
		}
		if wrong := in.wrong(f.Get("password"), f.Get("password_again")); wrong != "" {
			return p.setupPage(c, web.NewProblem("validation_failed", wrong), in).Send(c)
		}
		u, err := p.administrator(c, r, in, f.Get("password"))
		if err == nil {
			err = p.signIn(c, r, u, "pwd")
		}
		if err != nil {
			return p.notSetUp(c, err, in)
		}
		return see("/account?done=setup", "ok").Send(c)
	}
}

// notSetUp says why there is no administrator, or none who is signed in.
func (p *Pages) notSetUp(c *fiber.Ctx, err error, in setupView) error {
	var refused *gate.Refused
	switch {
	case errors.Is(err, store.ErrExists):
		return p.setupPage(c, web.NewProblem("conflict", "Somebody has this email address already."), in).Send(c)
	case errors.Is(err, store.ErrNotFound):
		return p.badLink(c, err)
	case errors.As(err, &refused) && refused.Status < 500:
		return p.Refusal(c, web.NewDenial(refused.Code, refused.Status, "No administrator was made.").Because(err))
	case errors.As(err, &refused):
		return p.Refusal(c, web.NewProblem(refused.Code, "Please try again in a minute.").Because(err))
	}
	return p.unavailable(c, err)
}

func (p *Pages) unavailable(c *fiber.Ctx, err error) error {
	return p.Refusal(c, web.NewProblem("store_unavailable", "Please try again in a minute.").Because(err))
}

// wrong is what must be changed in the form, or nothing.
func (in setupView) wrong(password, again string) string {
	a, err := mail.ParseAddress(in.Email)
	switch {
	case err != nil || a.Address != in.Email || len(in.Email) > 254:
		return "Please enter an email address."
	case !goodName(in.Name):
		return wrongName
	case !authn.CheckPassword(password):
		return fmt.Sprintf("Please choose a password of at least %d characters.", authn.MinPassword)
	case password != again:
		return "The two passwords are not the same."
	}
	return ""
}

// administrator spends the link and adds the person, in one transaction with
// the decision that the program took for itself: the link is its word.
func (p *Pages) administrator(c *fiber.Ctx, r *web.Request, in setupView, password string) (*store.User, error) {
	ctx, t := c.UserContext(), r.Tenant
	hash, err := p.Passwords.Hash(ctx, password)
	if err != nil {
		return nil, err
	}
	u := &store.User{
		Tenant: t.ID, ID: "stf_" + strings.ToLower(rand.Text()), Type: "staff", Email: in.Email, Name: in.Name,
		Roles: store.Words{"super_admin"}, PasswordHash: hash, CreatedAt: store.At(p.Now()),
	}
	var cause error
	err = p.Gate.System(ctx, gate.Act{
		Tenant: t, Request: r, Action: "setup.complete", Resource: policies.Resource{Type: "staff", ID: u.ID, Tenant: t.ID},
		Effect: func(ctx context.Context, tx *store.Tx, _ *gate.Call) error {
			if cause = tx.UseSetupLink(ctx, t.ID, authn.SetupHash(in.Link)); cause == nil {
				cause = tx.InsertUser(ctx, u)
			}
			return cause
		},
	})
	decided(c, r.Event)
	if err != nil && cause != nil {
		return nil, cause
	}
	return u, err
}

func (p *Pages) goodLink(c *fiber.Ctx, link string) error {
	_, err := p.Store.SetupLinkByHash(c.UserContext(), web.TenantOf(c).ID, authn.SetupHash(link), store.At(p.Now()))
	return err
}

func (p *Pages) badLink(c *fiber.Ctx, err error) error {
	if !errors.Is(err, store.ErrNotFound) {
		return p.unavailable(c, err)
	}
	p.count(c, web.NewProblem("not_found", "The setup link is not good."))
	return p.errorPage(c, fiber.StatusNotFound, "not_found", "This link is not good",
		"A setup link works once and for one hour. Restart the server to get a new one.")
}

// setupPage shows the form, and why it did not do, or nil.
func (p *Pages) setupPage(c *fiber.Ctx, refused *web.Problem, in setupView) *web.Answer {
	v := base(c, "Set up "+web.TenantOf(c).Name)
	in.MinPassword = authn.MinPassword
	v.CSRF, v.Page = p.Forms.LoginToken(c), in
	if refused == nil {
		return page(fiber.StatusOK, "setup", v)
	}
	v.Alert = refused.Detail
	a := page(refused.Status, "setup", v)
	a.Code = refused.Code
	return a
}
