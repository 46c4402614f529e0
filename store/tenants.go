package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Tenant is one organisation on this installation, with its own issuer, users,
// clients and points.
type Tenant struct {
	ID         string `db:"id"`
	Name       string `db:"name"`
	Issuer     string `db:"issuer"`    // the base of all its URLs; never made from a request
	Hostnames  Words  `db:"hostnames"` // of requests that are for it, without a port, in lower case
	Home       bool   `db:"home"`      // the installation's first: its administrators may create tenants
	CreatedAt  Time   `db:"created_at"`
	DisabledAt Time   `db:"disabled_at"`
	// Registration is whether strangers may register clients: off, token or open
	// (RFC 7591); ClientDocuments, whether a client may be a document at its id.
	Registration    string `db:"registration"`
	ClientDocuments bool   `db:"client_documents"`
	// AppSchemes are the schemes of native apps that clients may register by themselves.
	AppSchemes Words `db:"app_schemes"`

	// Origins are those of the tenant's clients, for CORS. Only [DB.TenantFor] fills them.
	Origins Words `db:"-"`
}

// Resource is the tenant's default audience: its API (RFC 8707).
func (t *Tenant) Resource() string { return t.Issuer + "/api" }

const tenantColumns = `id, name, issuer, hostnames, home, created_at, disabled_at, registration, client_documents, app_schemes`

// TenantFor finds the enabled tenant that answers at a host name (lower case,
// no port) in memory. It never goes to the database: see [DB.LoadTenants].
func (db *DB) TenantFor(hostname string) (*Tenant, bool) {
	t, ok := (*db.tenants.byHost.Load())[hostname]
	return t, ok
}

// tenantCache holds the tenants by host name: every request asks for one.
type tenantCache struct {
	byHost  atomic.Pointer[map[string]*Tenant]
	loading sync.Mutex
}

// LoadTenants reads the tenants into memory. It is called at the start, after
// each change on this node, and every few seconds for changes on others.
func (db *DB) LoadTenants(ctx context.Context) error {
	db.tenants.loading.Lock()
	defer db.tenants.loading.Unlock()
	all, err := Tenants(ctx, db)
	if err != nil {
		return err
	}
	var origins []struct {
		Tenant  string `db:"tenant"`
		Origins Words  `db:"origins"`
	}
	if err := db.Select(ctx, &origins, `SELECT tenant, origins FROM clients WHERE origins <> '' AND disabled_at IS NULL`); err != nil {
		return err
	}
	m := map[string]*Tenant{}
	for i := range all {
		for _, o := range origins {
			if o.Tenant == all[i].ID {
				all[i].Origins = append(all[i].Origins, o.Origins...)
			}
		}
		for _, h := range all[i].Hostnames {
			if all[i].DisabledAt.IsZero() {
				m[h] = &all[i]
			}
		}
	}
	db.tenants.byHost.Store(&m)
	return nil
}

// WatchTenants reloads every interval until ctx ends; failures go to report.
func (db *DB) WatchTenants(ctx context.Context, every time.Duration, report func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := db.LoadTenants(ctx); err != nil && ctx.Err() == nil {
				report(err)
			}
		}
	}
}

// Tenants lists all of them; inside a write, as they are there.
func Tenants(ctx context.Context, r Reader) ([]Tenant, error) {
	var out []Tenant
	err := r.Select(ctx, &out, `SELECT `+tenantColumns+` FROM tenants ORDER BY id`)
	return out, err
}

// GetTenant is one by its id.
func GetTenant(ctx context.Context, r Reader, id string) (*Tenant, error) {
	var t Tenant
	if err := r.Get(ctx, &t, `SELECT `+tenantColumns+` FROM tenants WHERE id = ?`, id); err != nil {
		return nil, err
	}
	return &t, nil
}

// InsertTenant adds one; ErrExists if its id or issuer is taken.
func (tx *Tx) InsertTenant(ctx context.Context, t *Tenant) error {
	registration := t.Registration
	if registration == "" {
		registration = "off"
	}
	_, err := tx.Exec(ctx, `INSERT INTO tenants (`+tenantColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?)`,
		t.ID, t.Name, t.Issuer, t.Hostnames, t.Home, t.CreatedAt, t.DisabledAt, registration, t.ClientDocuments, t.AppSchemes)
	return err
}

// UpdateTenant changes what may change: name, issuer, host names, registration,
// disabled.
func (tx *Tx) UpdateTenant(ctx context.Context, t *Tenant) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE tenants SET name = ?, issuer = ?, hostnames = ?, disabled_at = ?, registration = ?, client_documents = ?,
		app_schemes = ? WHERE id = ?`, t.Name, t.Issuer, t.Hostnames, t.DisabledAt, t.Registration, t.ClientDocuments, t.AppSchemes, t.ID)
}
