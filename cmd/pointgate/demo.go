package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/store"
)

// demo fills an empty installation with the people and clients of the demo, and
// at each start writes the tokens for scripts. Passwords and secrets are known
// to everybody, which is why --demo keeps to loopback.
type demo struct {
	config *Config
	store  *store.DB
	engine *policies.Engine
	server *server.Server
	ops    string
	out    io.Writer
}

// The marks of what is done: a start that was cut short goes on where it was.
const (
	peopleMark = "demo_people"
	pointsMark = "demo_points"
)

func fillDemo(ctx context.Context, d *demo) error {
	var tokens map[string]string
	steps := []func() error{
		func() error { return d.once(ctx, peopleMark, d.insert) },
		func() error { return d.moveAddresses(ctx) },
		func() (err error) { tokens, err = d.mint(ctx); return err },
		func() error {
			return d.once(ctx, pointsMark, func(ctx context.Context) error { return d.givePoints(ctx, tokens) })
		},
		func() error { return d.writeJSON(tokens) },
		d.greet,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	return nil
}

// once runs a step unless its mark is set; the step sets it.
func (d *demo) once(ctx context.Context, mark string, step func(context.Context) error) error {
	_, err := d.store.Mark(ctx, mark)
	if errors.Is(err, store.ErrNotFound) {
		return step(ctx)
	}
	return err
}

// insert makes people and clients, with their passwords, in one write.
func (d *demo) insert(ctx context.Context) error {
	hashes, err := d.hashPasswords(ctx)
	if err != nil {
		return err
	}
	return d.store.Write(ctx, func(tx *store.Tx) error {
		other := &store.Tenant{ID: "other", Name: "Other Loyalty", Issuer: d.otherIssuer(), Hostnames: store.Words{"other.localhost"}, CreatedAt: tx.Now()}
		if err := errors.Join(tx.InsertTenant(ctx, other), openRegistration(ctx, tx)); err != nil {
			return err
		}
		for _, p := range demoPeople {
			u := &store.User{Tenant: p.tenant, ID: p.id, Type: p.kind(), Email: p.email, Name: p.name, Roles: p.roles, PasswordHash: hashes[p.email], CreatedAt: tx.Now()}
			if err := tx.InsertUser(ctx, u); err != nil {
				return err
			}
		}
		for _, c := range d.clients() {
			if err := insertClient(ctx, tx, c); err != nil {
				return err
			}
		}
		return tx.SetMark(ctx, peopleMark, "1")
	})
}

// openRegistration lets clients register themselves at the demo: an MCP client
// gets through without anybody's help, and /developer can be tried.
func openRegistration(ctx context.Context, tx *store.Tx) error {
	t, err := store.GetTenant(ctx, tx, "demo")
	if err != nil {
		return err
	}
	t.Registration = oauth2.RegistrationOpen
	return tx.UpdateTenant(ctx, t)
}

func insertClient(ctx context.Context, tx *store.Tx, c demoClient) error {
	c.CreatedAt = tx.Now()
	if err := tx.InsertClient(ctx, &c.Client); err != nil || c.secret == "" {
		return err
	}
	return tx.InsertClientSecret(ctx, &store.ClientSecret{
		ID: "sec_" + c.Tenant + "_" + c.ID, Tenant: c.Tenant, ClientID: c.ID, Hash: oauth2.HashSecret(c.secret), CreatedAt: tx.Now(),
	})
}

func (d *demo) hashPasswords(ctx context.Context) (map[string]string, error) {
	hasher, err := authn.NewPasswords()
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0)) // as many as the hasher works on: whom it lets wait too long it refuses
	hashes := make([]string, len(demoPeople))
	errs := make([]error, len(demoPeople))
	for i, p := range demoPeople {
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			hashes[i], errs[i] = hasher.Hash(ctx, p.password())
		})
	}
	wg.Wait()
	byEmail := map[string]string{}
	for i, p := range demoPeople {
		byEmail[p.email] = hashes[i]
	}
	return byEmail, errors.Join(errs...)
}

// moveAddresses follows a changed port: the second tenant's issuer, and the
// audience that the gateway may introspect.
func (d *demo) moveAddresses(ctx context.Context) error {
	other, err := store.GetTenant(ctx, d.store, "other")
	if err != nil {
		return err
	}
	gateway, err := store.GetClient(ctx, d.store, "demo", "demo-gateway")
	if err != nil {
		return err
	}
	other.Issuer, gateway.Introspects = d.otherIssuer(), store.Words{d.config.PublicURL + "/api"}
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.UpdateTenant(ctx, other); err != nil {
			return err
		}
		return tx.UpdateClient(ctx, gateway)
	})
	if err != nil {
		return err
	}
	return d.store.LoadTenants(ctx)
}

func (d *demo) otherIssuer() string {
	u, err := url.Parse(d.config.PublicURL)
	if err != nil {
		return ""
	}
	u.Host = "other.localhost:" + u.Port()
	return strings.TrimSuffix(u.String(), ":")
}

// mint makes the tokens for scripts anew and revokes those of earlier starts.
func (d *demo) mint(ctx context.Context) (map[string]string, error) {
	const name = "demo.json"
	old, err := store.APIKeys(ctx, d.store, store.APIKeyFilter{Tenant: "demo", Limit: 10000})
	if err != nil {
		return nil, err
	}
	tokens := map[string]string{}
	var rows []store.APIKey
	add := func(key, prefix string, fill func(*store.APIKey)) {
		secret, row := authn.NewKey(prefix)
		row.Tenant, row.Name, row.CreatedAt = "demo", name, store.At(d.store.Now())
		row.ExpiresAt = store.At(d.store.Now().Add(90 * 24 * time.Hour))
		fill(&row)
		tokens[key], rows = secret, append(rows, row)
	}
	for _, p := range demoPeople {
		if p.script != "" {
			add(p.script, authn.TokenPrefix, func(k *store.APIKey) {
				k.Tenant, k.UserID, k.Scopes = p.tenant, p.id, d.engine.ScopesOf(p.roles)
			})
		}
	}
	add("api_key", authn.KeyPrefix, func(k *store.APIKey) { k.ClientID, k.Scopes = "demo-service", store.Words{"points:read"} })
	return tokens, d.store.Write(ctx, func(tx *store.Tx) error {
		for _, k := range old {
			if k.Name == name && k.RevokedAt.IsZero() {
				if err := tx.RevokeAPIKey(ctx, k.Tenant, k.ID); err != nil {
					return err
				}
			}
		}
		for i := range rows {
			if err := tx.InsertAPIKey(ctx, &rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// givePoints earns the first points through the front door, so that even they
// have their decisions. It may run again: the keys make each earning happen once.
func (d *demo) givePoints(ctx context.Context, tokens map[string]string) error {
	for _, p := range demoPeople {
		if p.points == 0 {
			continue
		}
		admin, host := tokens["admin_token"], "demo.localhost"
		if p.tenant == "other" {
			admin, host = tokens[otherAdmin], "other.localhost"
		}
		if err := d.earn(ctx, host, admin, p); err != nil {
			return err
		}
	}
	return d.store.Write(ctx, func(tx *store.Tx) error { return tx.SetMark(ctx, pointsMark, "1") })
}

func (d *demo) earn(ctx context.Context, host, token string, p demoPerson) error {
	body, _ := json.Marshal(map[string]any{"customer_id": p.id, "points": p.points, "reason": "Welcome"}) // plain values: can't fail
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+host+"/api/points/earn", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "demo-"+p.id)
	res, err := d.server.App().Test(r, 10_000)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		text, _ := io.ReadAll(res.Body)
		return fmt.Errorf("points for %s: %s", p.id, text)
	}
	return nil
}

// writeJSON puts the tokens where scripts find them, for the owner alone.
func (d *demo) writeJSON(tokens map[string]string) error {
	delete(tokens, otherAdmin)
	tokens["url"], tokens["ops_url"] = d.config.PublicURL, d.ops
	raw, err := json.MarshalIndent(tokens, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(d.config.Data, "demo.json")
	next := path + ".next"
	if err := os.WriteFile(next, append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}

func (d *demo) greet() error {
	_, err := fmt.Fprintf(d.out, `Pointgate's demo is running.

  open       %s
  customer   alice@demo.example     demo-alice-password   (1200 points)
  customer   bob@demo.example       demo-bob-password     (300 points)
  admin      admin@demo.example     demo-admin-password
  client     demo-web               demo-web-secret
  service    demo-service           demo-service-secret
  tokens     %s
  metrics    %s/metrics
  stop       Ctrl-C; everything stays in %s until you delete it

`, d.config.PublicURL, filepath.Join(d.config.Data, "demo.json"), d.ops, d.config.Data)
	return err
}
