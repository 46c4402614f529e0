package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// installation is a server with one tenant and one super_admin, whose token the
// commands use.
type installation struct {
	t     *testing.T
	db    *store.DB
	dir   string
	url   string
	token string
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	i := &installation{t: t, dir: t.TempDir()}
	i.db = storetest.Open(t, store.Options{Dir: i.dir})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i.url = "http://" + ln.Addr().String()
	i.settle()
	engine, err := policies.Open(policies.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	engine.Timeout = 10 * time.Second // the race detector is slow
	c := defaultConfig()
	c.Data, c.PublicURL, c.Limits = i.dir, i.url, "off"
	srv, err := assemble(c, i.db, engine, make([]byte, 32), slog.New(slog.NewTextHandler(io.Discard, nil)), newOps(i.db))
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		<-ended
	})
	t.Setenv("POINTGATE_URL", i.url)
	t.Setenv("POINTGATE_TOKEN", i.token)
	return i
}

func (i *installation) settle() {
	i.t.Helper()
	ctx := context.Background()
	storetest.Write(i.t, i.db, func(tx *store.Tx) error {
		return tx.InsertTenant(ctx, &store.Tenant{ID: "main", Name: "Main", Issuer: i.url, Hostnames: store.Words{"127.0.0.1"}, Home: true, CreatedAt: tx.Now()})
	})
	if err := i.db.LoadTenants(ctx); err != nil {
		i.t.Fatal(err)
	}
	storetest.User(i.t, i.db, "main", "stf_admin", "super_admin")
	secret, key := authn.NewKey(authn.TokenPrefix)
	key.Tenant, key.Name, key.UserID, key.Scopes, key.CreatedAt = "main", "test", "stf_admin", store.Words{"admin", "audit:read"}, store.At(i.db.Now())
	storetest.Write(i.t, i.db, func(tx *store.Tx) error { return tx.InsertAPIKey(ctx, &key) })
	i.token = secret
}

// outcome of one command line.
type outcome struct {
	code     int
	out, err string
}

func pointgate(args ...string) outcome {
	var out, errOut bytes.Buffer
	code := execute(args, &out, &errOut)
	return outcome{code, out.String(), errOut.String()}
}

// want runs a command line and fails the test on another exit code.
func want(t *testing.T, code int, args ...string) outcome {
	t.Helper()
	o := pointgate(args...)
	if o.code != code {
		t.Fatalf("pointgate %q: exit code %d, want %d\n%s%s", args, o.code, code, o.out, o.err)
	}
	return o
}

// userAt puts the n-th customer there.
func userAt(i *installation, n int) {
	i.t.Helper()
	storetest.User(i.t, i.db, "main", fmt.Sprintf("cus_%03d", n))
}
