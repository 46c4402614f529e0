package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/admin"
	"github.com/pointgate/pointgate/server/alerts"
	"github.com/pointgate/pointgate/server/audit"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/edge"
	"github.com/pointgate/pointgate/server/egress"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/mail"
	"github.com/pointgate/pointgate/server/oauth"
	"github.com/pointgate/pointgate/server/pages"
	"github.com/pointgate/pointgate/server/points"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// rooms are the parts of one server, each with what it needs.
type rooms struct {
	store   *store.DB
	holder  string // of leases
	log     *slog.Logger
	now     func() time.Time
	cleaned func(rows string, n int64)
	done    func(e *web.Event, took time.Duration)
	trusted []netip.Prefix
	traces  edge.Traces

	certificates string // the header with a client's certificate

	refusals *edge.Refusals
	limits   *edge.Limits
	authn    *authn.Authenticator
	points   *points.Points
	oauth    *oauth.OAuth
	pages    *pages.Pages
	admin    *admin.Admin
	alerts   *alerts.Follower
	outbox   *mail.Outbox     // nil: nothing is sent
	trail    *audit.Publisher // nil: nothing is published
	follow   *Followers
	logouts  *oauth.Logouts
}

func newRooms(c *Config) (*rooms, error) {
	passwords, err := authn.NewPasswords()
	if err != nil {
		return nil, fmt.Errorf("passwords: %w", err)
	}
	limiter := edge.NewLimiter(c.Now)
	r := &rooms{store: c.Store, log: c.Log, now: c.Now, cleaned: c.Cleaned, done: c.Done, trusted: c.Trusted, certificates: c.CertificateHeader}
	r.holder = c.Labels["id"]
	events := &gate.Events{Store: c.Store, Now: c.Now, NewID: newID, Labels: c.Labels, Mask: c.Policy}
	r.refusals = &edge.Refusals{Store: c.Store, Events: events, Log: c.Log, Now: c.Now, Home: c.Home}
	r.limits = &edge.Limits{Limiter: limiter, Refuse: r.refusals.Refuse, Off: !c.Limits}
	g := &gate.Gate{Policy: c.Policy, Store: c.Store, Log: c.Log, Now: c.Now, NewID: newID, Labels: c.Labels, Mask: c.Policy}
	g.Decided = c.Decided
	r.traces = edge.Traces{Tracer: c.Traces.Tracer, Ratio: c.Traces.Ratio, Random: c.Traces.Random, Trusted: c.Traces.Trusted, Begin: c.Begin}
	cursors := web.Cursors{Key: c.CursorKey}
	sessions := &authn.Sessions{Store: c.Store, Now: c.Now, Customer: authn.CustomerLifetime, Staff: authn.StaffLifetime}
	r.points = &points.Points{Gate: g, Store: c.Store, Cursors: cursors}
	r.authn = r.authenticator(c, sessions)
	r.pages = &pages.Pages{
		Gate: g, Events: events, Store: c.Store, Session: sessions, Passwords: passwords, Forms: authn.Forms{Key: c.CSRFKey},
		Consents: c.OAuth, Logins: c.OAuth, Logouts: c.OAuth, ScopesOf: c.Policy.ScopesOf, Throttle: throttle(limiter, c.Limits), Now: c.Now, Count: r.refusals.Count,
	}
	r.refusals.Page = r.pages.Refusal
	r.oauth = &oauth.OAuth{Gate: g, Provider: c.OAuth, Session: session, ErrorPage: r.pages.ErrorPage, Count: r.refusals.CountFor, Throttle: throttle(limiter, c.Limits)}
	r.pages.Answers, r.pages.Devices = r.oauth, r.oauth
	r.logouts = &oauth.Logouts{
		Store: c.Store, Provider: c.OAuth, Events: events, Log: c.Log, Holder: c.Labels["id"], Call: caller(egress.New(c.Egress)), Count: c.LoggedOut,
	}
	r.admin = &admin.Admin{Gate: g, Store: c.Store, Cursors: cursors, Roles: c.Policy.Roles, ScopesOf: c.Policy.ScopesOf, Hash: passwords.Hash}
	r.admin.Signing = c.OAuth
	r.admin.AuthMethods = c.OAuth.AuthMethods
	r.admin.Pseudonym = func(value string) string { return c.Policy.Masked().Pseudonym(value) }
	r.follow = newFollowers(c, events)
	r.admin.Eraser = r.follow.Eraser
	r.alert(c, events)
	if err := r.publish(c, events); err != nil {
		return nil, err
	}
	return r, nil
}

// alert makes who follows the log, and who sends what it tells.
func (r *rooms) alert(c *Config, events *gate.Events) {
	r.alerts = &alerts.Follower{
		Store: c.Store, Rules: c.Policy, Events: events, Log: c.Log, Now: c.Now, NewID: newID, Holder: c.Labels["id"],
		Home: c.Home, MailTo: c.AlertMailTo, Observer: c.Alerts,
	}
	if c.Mail != nil {
		r.outbox = &mail.Outbox{Store: c.Store, Transport: c.Mail, Log: c.Log, Holder: c.Labels["id"], Count: c.Mailed}
	}
}

// publish opens the audit trail, if it is to be published.
func (r *rooms) publish(c *Config, events *gate.Events) (err error) {
	if c.Trail == nil {
		return nil
	}
	t := *c.Trail
	t.Store, t.Log, t.Now, t.Record, t.Tenant = c.Store, c.Log, c.Now, events.Record, c.Home
	if r.trail, err = audit.Open(context.Background(), t); err == nil {
		r.admin.Trail = r.trail
	}
	return err
}

func (r *rooms) authenticator(c *Config, sessions *authn.Sessions) *authn.Authenticator {
	keys := authn.Keys{Store: c.Store, Now: c.Now}
	return &authn.Authenticator{
		Explicit: []authn.Method{authn.OAuth2{Tokens: c.OAuth, Uses: &authn.Uses{Store: c.Store, Now: c.Now}}, authn.APIKey{Keys: keys}, authn.APIToken{Keys: keys, ScopesOf: c.Policy.ScopesOf}},
		Session:  sessions,
		Nonce:    c.OAuth.Nonce,
		Refuse:   r.refusals.Refuse,
	}
}

// newID makes ids of decisions: UUIDv7, so that they sort by time.
func newID() string { return uuid.Must(uuid.NewV7()).String() } // fails only if the system has no randomness

// caller posts forms where clients want them.
func caller(e *egress.Client) func(ctx context.Context, uri string, form []byte) (int, error) {
	return func(ctx context.Context, uri string, form []byte) (int, error) {
		a, err := e.Post(ctx, uri, fiber.MIMEApplicationForm, form)
		if err != nil {
			return 0, err
		}
		return a.Status, nil
	}
}

// throttle counts attempts to sign in, and what else strangers may do slowly.
func throttle(l *edge.Limiter, on bool) func(key string, perMinute int) (time.Duration, bool) {
	if !on {
		return nil
	}
	return func(key string, perMinute int) (time.Duration, bool) {
		v := l.Allow(key, edge.Rate{Name: "login", Every: time.Minute / time.Duration(perMinute), Burst: perMinute})
		return v.RetryAfter, v.OK
	}
}

// session is the signed-in person as the OAuth2 endpoints need them.
func session(c *fiber.Ctx) (p oauth2.Person, sessionID string, ok bool) {
	k := authn.SignedIn(c)
	if k == nil {
		return oauth2.Person{}, "", false
	}
	return oauth2.Person{ID: k.ID, Type: k.Type, Roles: k.Roles, AuthTime: k.AuthTime, AMR: k.AMR, Session: k.GrantID}, k.GrantID, true
}

// loops run beside the listener until the server stops.
func (r *rooms) loops() []func(context.Context) {
	clean := &cleanup{store: r.store, log: r.log, holder: r.alerts.Holder, removed: r.cleaned}
	loops := []func(context.Context){
		r.alerts.Run,
		r.trail.Run,
		r.refusals.Run,
		r.logouts.Run,
		clean.run,
		r.admin.RunUnused,
		(&signingKeys{provider: r.oauth.Provider, holder: r.holder, log: r.log}).run,
		func(ctx context.Context) { r.points.Run(ctx, time.Second) },
		func(ctx context.Context) {
			r.store.WatchTenants(ctx, 2*time.Second, func(err error) { r.log.Error("tenants are as they were", "error", err) })
		},
	}
	if r.outbox != nil {
		loops = append(loops, r.outbox.Run)
	}
	return append(loops, r.follow.loops()...)
}
