package admin

import (
	"cmp"
	"context"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type tenantView struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Issuer     string     `json:"issuer"`
	Hostnames  []string   `json:"hostnames"`
	Home       bool       `json:"home"`
	CreatedAt  time.Time  `json:"created_at"`
	DisabledAt *time.Time `json:"disabled_at"`
	// What clients may do about their own registration.
	Registration    string   `json:"registration"`
	ClientDocuments bool     `json:"client_documents"`
	AppSchemes      []string `json:"app_schemes"`
	SetupURL        string   `json:"setup_url,omitempty"` // in the answer that makes it: for the first administrator, once
}

func viewTenant(t *store.Tenant) tenantView {
	return tenantView{
		ID: t.ID, Name: t.Name, Issuer: t.Issuer, Hostnames: shown(t.Hostnames), Home: t.Home,
		CreatedAt: t.CreatedAt.Time, DisabledAt: when(t.DisabledAt),
		Registration: cmp.Or(t.Registration, oauth2.RegistrationOff), ClientDocuments: t.ClientDocuments, AppSchemes: shown(t.AppSchemes),
	}
}

// Tenants is /admin/api/tenants. Each tenant has itself; the administrators of
// the home tenant make new ones, and don't see them afterwards either.
func (a *Admin) Tenants() Handlers {
	n := &noun[store.Tenant]{
		name: "tenant", end: "delete",
		tenant:  func(id string) string { return id },
		get:     getTenant,
		id:      func(t *store.Tenant) string { return t.ID },
		view:    func(t *store.Tenant) any { return viewTenant(t) },
		members: tenantMembers,
		fresh:   func(c *gate.Call) *store.Tenant { return &store.Tenant{CreatedAt: store.At(c.Now)} },
		insert:  a.insertTenant, update: a.updateTenant, remove: a.removeTenant,
	}
	l := &list[store.Tenant, struct{}]{
		name: n.name, filter: none, view: n.view, rows: tenantRows,
		place: func(t *store.Tenant) place { return place{ID: t.ID} },
	}
	return a.reloading(n.handlers(a, l.handler(a)))
}

func getTenant(ctx context.Context, r store.Reader, at *store.Tenant, id string) (*store.Tenant, error) {
	if id != at.ID {
		return nil, store.ErrNotFound
	}
	return store.GetTenant(ctx, r, id)
}

func tenantRows(ctx context.Context, r store.Reader, q *query[struct{}]) ([]store.Tenant, error) {
	own, err := store.GetTenant(ctx, r, q.tenant.ID)
	if err != nil || own.ID <= q.after.ID {
		return nil, err
	}
	return []store.Tenant{*own}, nil
}

// tenantMembers: where a tenant can be reached is said when it is made; later
// it is a matter of certificates and name servers as well.
func tenantMembers(f *web.Fields, in *input[store.Tenant]) {
	notNull(f, "name")
	if v, ok := line(f, "name"); ok {
		in.set(func(t *store.Tenant) { t.Name = v })
	}
	registrationMembers(f, in)
	if !in.created {
		return
	}
	f.Require("id", "name", "issuer")
	if v, ok := matching(f, "id", plainID); ok {
		in.set(func(t *store.Tenant) { t.ID = v })
	}
	if v, ok := f.String("issuer", maxWord); ok {
		if !isIssuer(v) {
			f.Wrong("issuer", "invalid", "It must be https://host[:port], or http on loopback, with nothing behind it.")
		}
		in.set(func(t *store.Tenant) { t.Issuer = v })
	}
	if v, ok := words(f, "hostnames"); ok {
		for _, h := range v {
			if !isHostname(h) {
				f.Wrong("hostnames", "invalid", "Each must be a host name in lower case or an address, without a port.")
			}
		}
		in.set(func(t *store.Tenant) { t.Hostnames = v })
	}
}

// registrationMembers: who may register clients, and what may be one.
func registrationMembers(f *web.Fields, in *input[store.Tenant]) {
	notNull(f, "registration", "client_documents")
	if v, ok := f.String("registration", maxWord); ok {
		if !slices.Contains(oauth2.RegistrationModes, v) {
			f.Wrong("registration", "invalid", "It must be off, token or open.")
		}
		in.set(func(t *store.Tenant) { t.Registration = v })
	}
	if v, ok := f.Bool("client_documents"); ok {
		in.set(func(t *store.Tenant) { t.ClientDocuments = v })
	}
	if v, ok := words(f, "app_schemes"); ok {
		if slices.ContainsFunc(v, func(s string) bool { return !oauth2.IsAppScheme(s) }) {
			f.Wrong("app_schemes", "invalid", "Each must be a scheme in lower case with a dot in it, such as com.example.app.")
		}
		in.set(func(t *store.Tenant) { t.AppSchemes = v })
	}
}

func isIssuer(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme+"://"+u.Host != s || !isHostname(u.Hostname()) {
		return false
	}
	return u.Scheme == "https" || (u.Scheme == "http" && web.Loopback(u.Hostname()))
}

var hostname = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))*$`)

func isHostname(s string) bool {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Zone() == "" && a.String() == s
	}
	return len(s) <= 253 && hostname.MatchString(s)
}

// checkReach: each host name leads to one tenant, and the issuer's to its own.
func checkReach(ctx context.Context, r store.Reader, t *store.Tenant) error {
	u, err := url.Parse(t.Issuer)
	if err != nil {
		return wrong("issuer", "invalid", "It must be a URL.")
	}
	if len(t.Hostnames) == 0 {
		t.Hostnames = store.Words{u.Hostname()}
	}
	if !t.Hostnames.Has(u.Hostname()) {
		return wrong("hostnames", "invalid", "The issuer's host must be among them.")
	}
	all, err := store.Tenants(ctx, r)
	if err != nil {
		return err
	}
	for _, other := range all {
		for _, h := range t.Hostnames {
			if other.ID != t.ID && other.Hostnames.Has(h) {
				return conflict("The host name " + h + " is another tenant's.")
			}
		}
	}
	return nil
}

// insertTenant makes the tenant and the link by which its first administrator
// comes in.
func (a *Admin) insertTenant(ctx context.Context, tx *store.Tx, c *gate.Call, t *store.Tenant) (any, error) {
	if _, err := store.GetTenant(ctx, tx, t.ID); err == nil {
		return nil, store.ErrExists
	}
	if err := checkReach(ctx, tx, t); err != nil {
		return nil, err
	}
	if err := tx.InsertTenant(ctx, t); err != nil {
		return nil, err
	}
	secret, link := authn.NewSetupLink(t.ID, c.Now)
	v := viewTenant(t)
	v.SetupURL = t.Issuer + "/setup?link=" + secret
	return v, tx.InsertSetupLink(ctx, &link)
}

func (a *Admin) updateTenant(ctx context.Context, tx *store.Tx, _ *gate.Call, _, t *store.Tenant) error {
	return tx.UpdateTenant(ctx, t)
}

// removeTenant switches a tenant off: its records and points stay. Nobody can
// reach it, and who comes back finds no old credential good.
func (a *Admin) removeTenant(ctx context.Context, tx *store.Tx, c *gate.Call, t *store.Tenant) error {
	if t.Home {
		return conflict("The installation's first tenant can't be switched off.")
	}
	t.DisabledAt = store.At(c.Now)
	if err := tx.UpdateTenant(ctx, t); err != nil {
		return err
	}
	_, err := endAll(ctx, tx, revocation{tenant: t.ID}, c.Caller.ID)
	return err
}
