package pages

import (
	"context"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type sessionView struct {
	store.Session
	Device  string
	Current bool // the one that this page is seen in
}

// Sessions shows where the person is signed in.
func (p *Pages) Sessions() fiber.Handler {
	return protect(p, gate.Operation[none]{
		Action: "session.list",
		Facts: func(_ context.Context, _ store.Reader, c *gate.Call, _ *none) (policies.Resource, policies.Facts, error) {
			return own(c, "session"), nil, nil
		},
		Read: func(ctx context.Context, r store.Reader, c *gate.Call, _ *none) (*web.Answer, error) {
			v, u, err := p.personal(ctx, r, c, "Where you are signed in")
			if err != nil {
				return nil, err
			}
			all, err := store.Sessions(ctx, r, store.SessionFilter{Tenant: u.Tenant, User: u.ID, OpenAt: store.At(c.Now), Limit: listed})
			if err != nil {
				return nil, err
			}
			rows := make([]sessionView, len(all))
			for i, s := range all {
				rows[i] = sessionView{Session: s, Device: device(s.UserAgent), Current: s.ID == c.Caller.GrantID}
			}
			v.Page = rows
			return page(fiber.StatusOK, "sessions", v), nil
		},
	})
}

// device names a browser as its owner would. It is a hint: anything can call
// itself anything.
func device(agent string) string {
	browser, system := firstIn(agent, [][2]string{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Chromium/", "Chromium"},
		{"Safari/", "Safari"}, {"curl/", "curl"},
	}), firstIn(agent, [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"Linux", "Linux"},
	})
	switch {
	case browser == "" && system == "":
		return "Unknown browser"
	case browser == "" || system == "":
		return browser + system
	}
	return browser + " on " + system
}

func firstIn(s string, names [][2]string) string {
	for _, n := range names {
		if strings.Contains(s, n[0]) {
			return n[1]
		}
	}
	return ""
}

type endInput struct{ id string }

// EndSession ends one of the person's sessions.
func (p *Pages) EndSession() fiber.Handler {
	return protect(p, p.end(func(_ *web.Request, field string) string { return field }, "/account/sessions?done=ended"))
}

// endOwn ends the session that the request came in.
func (p *Pages) endOwn() gate.Operation[endInput] {
	return p.end(func(r *web.Request, _ string) string { return r.Caller.GrantID }, "/")
}

// end is the operation of ending the session that pick names.
func (p *Pages) end(pick func(r *web.Request, field string) string, next string) gate.Operation[endInput] {
	return gate.Operation[endInput]{
		Action: "session.revoke",
		Parse: func(r *web.Request, in *endInput) *web.Problem {
			f, fault := p.signedForm(r)
			in.id = pick(r, web.ID(f.Get("session")))
			return fault
		},
		Facts: func(ctx context.Context, r store.Reader, c *gate.Call, in *endInput) (policies.Resource, policies.Facts, error) {
			res := policies.Resource{Type: "session", ID: in.id}
			s, err := store.GetSession(ctx, r, c.Tenant.ID, in.id)
			if errors.Is(err, store.ErrNotFound) {
				return res, nil, nil
			}
			if err == nil {
				res.Owner, res.Tenant = s.UserID, s.Tenant
			}
			return res, nil, err
		},
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, in *endInput) (*web.Answer, error) {
			return see(next, "ok"), tx.EndSession(ctx, c.Tenant.ID, in.id)
		},
	}
}

// EndOtherSessions ends all of the person's sessions but this one.
func (p *Pages) EndOtherSessions() fiber.Handler {
	return protect(p, gate.Operation[none]{
		Action: "session.revoke",
		Parse: func(r *web.Request, _ *none) *web.Problem {
			_, fault := p.signedForm(r)
			return fault
		},
		Facts: func(_ context.Context, _ store.Reader, c *gate.Call, _ *none) (policies.Resource, policies.Facts, error) {
			return own(c, "session"), nil, nil
		},
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, _ *none) (*web.Answer, error) {
			_, err := tx.EndSessions(ctx, store.SessionMatch{Tenant: c.Tenant.ID, User: c.Caller.ID, Except: c.Caller.GrantID})
			return see("/account/sessions?done=others", "ok"), err
		},
	})
}
