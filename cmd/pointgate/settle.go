package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"

	"github.com/pointgate/pointgate/server"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// homeTenant is the id of the installation's first tenant.
func homeTenant(c *Config) string {
	if c.Demo {
		return "demo"
	}
	return "main"
}

// settle makes an empty database an installation, and refuses to take a demo
// for a real one or the other way round.
func settle(ctx context.Context, c *Config, db *store.DB) error {
	kind, err := db.Mark(ctx, "kind")
	want := "real"
	if c.Demo {
		want = "demo"
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		if err := found(ctx, c, operated(db), want); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("database: %w", err)
	case kind == "demo" && want == "real":
		return usage("this database is a demo's: start with --demo, or use another data folder")
	case kind == "real" && want == "demo":
		return usage("this database is not a demo's: start without --demo, or use an empty data folder")
	}
	return db.LoadTenants(ctx)
}

// welcome does what a start changes in an installation: it comes once it is
// certain that the database is the one to go on with, and that there is a
// listener for the link.
func welcome(ctx context.Context, c *Config, db *store.DB, out io.Writer) error {
	i := operated(db)
	if err := follow(ctx, c, i); err != nil {
		return err
	}
	if c.Demo {
		return nil
	}
	return offerSetup(ctx, c, i, out)
}

// found makes the first tenant.
func found(ctx context.Context, c *Config, i *server.Installation, kind string) error {
	return i.Store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.SetMark(ctx, "kind", kind); err != nil {
			return err
		}
		t := &store.Tenant{ID: homeTenant(c), Name: "Pointgate", Issuer: c.PublicURL, Hostnames: hostnames(c), Home: true, CreatedAt: tx.Now()}
		if c.Demo {
			t.Name = "Demo Loyalty"
		}
		i.Created(tx, t, c.Demo)
		return tx.InsertTenant(ctx, t)
	})
}

func hostnames(c *Config) store.Words {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return nil // check has parsed it before
	}
	names := store.Words{u.Hostname()}
	extra := []string{}
	if c.Demo {
		extra = []string{"127.0.0.1", "localhost", "demo.localhost"}
	} else if host, _, err := net.SplitHostPort(c.Listen); err == nil && web.Loopback(c.Listen) {
		extra = []string{host}
	}
	for _, h := range extra {
		if !names.Has(h) {
			names = append(names, h)
		}
	}
	return names
}

// follow moves the first tenant to the configured public URL.
func follow(ctx context.Context, c *Config, i *server.Installation) error {
	db := i.Store
	t, err := store.GetTenant(ctx, db, homeTenant(c))
	if err != nil {
		return fmt.Errorf("the first tenant: %w", err)
	}
	if t.Issuer == c.PublicURL {
		return nil
	}
	from := t.Issuer
	t.Issuer = c.PublicURL
	for _, h := range hostnames(c) {
		if !t.Hostnames.Has(h) {
			t.Hostnames = append(t.Hostnames, h)
		}
	}
	err = db.Write(ctx, func(tx *store.Tx) error {
		i.Moved(tx, t, from)
		return tx.UpdateTenant(ctx, t)
	})
	if err != nil {
		return err
	}
	return db.LoadTenants(ctx)
}

// offerSetup prints a one-time link for the first administrator while there is
// none. Its key is stored as a hash only; each start makes a new one.
func offerSetup(ctx context.Context, c *Config, i *server.Installation, out io.Writer) error {
	db := i.Store
	n, err := db.CountStaff(ctx, homeTenant(c))
	if err != nil || n > 0 {
		return err
	}
	key, link := authn.NewSetupLink(homeTenant(c), db.Now())
	err = db.Write(ctx, func(tx *store.Tx) error {
		i.SetupOffered(tx, &link)
		return tx.InsertSetupLink(ctx, &link)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "There is no administrator yet. Open this within an hour, once:\n\n  %s/setup?link=%s\n\n", c.PublicURL, key)
	return err
}
