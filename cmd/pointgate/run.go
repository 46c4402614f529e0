package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server"
	"github.com/pointgate/pointgate/server/audit"
	"github.com/pointgate/pointgate/server/egress"
	"github.com/pointgate/pointgate/store"
)

// run serves until ctx ends. Its error has the exit code.
func run(ctx context.Context, c *Config, out io.Writer) error { return unopened(build(ctx, c, out)) }

// build builds every part by hand, serves until ctx ends, and closes in reverse.
// Until the trail has passed its check, nothing is recorded but what makes an
// empty database an installation.
func build(ctx context.Context, c *Config, out io.Writer) (err error) {
	log := newLog(c)
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	unlock, err := lockDir(c.Data)
	if err != nil {
		return usage("%v", err)
	}
	defer unlock()
	tuneMemory()
	master, err := masterSecret(ctx, c)
	if err != nil {
		return err
	}
	engine, err := openPolicy(c.PolicyDir, derive(master, "pseudonyms"))
	if err != nil {
		return usage("policy: %v", err)
	}
	o := newOps(nil)
	db, err := store.Open(ctx, store.Options{URL: c.Database, Dir: c.Data, Observe: o.observer(log), Reserve: c.DiskReserve << 20})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := settle(ctx, c, db); err != nil {
		return err
	}
	o.watch(db)
	if o.tracing, err = newTracing(c, o.instance, o.metrics, log); err != nil {
		return err
	}
	defer o.tracing.close()
	srv, err := assemble(c, db, engine, master, log, o)
	if errors.Is(err, audit.ErrRefused) {
		return usage("%w", err)
	}
	if err != nil {
		return err
	}
	if err := openSigningKeys(ctx, c, srv); err != nil {
		return err
	}
	o.checkpointAge(srv.CheckpointAge)
	o.places(srv.Trail().Places)
	o.followers(srv.Followers())
	return listen(ctx, c, srv, o, func(addr listening) error {
		if err := welcome(ctx, c, db, out); err != nil {
			return err
		}
		if !c.Demo {
			log.Info("serving", "url", c.PublicURL, "ops", addr.ops)
			return nil
		}
		return fillDemo(ctx, &demo{config: c, store: db, engine: engine, server: srv, out: out, ops: addr.ops})
	})
}

func assemble(c *Config, db *store.DB, engine *policies.Engine, master []byte, log *slog.Logger, o *ops) (*server.Server, error) {
	labels := map[string]string{"id": o.instance, "version": version()}
	authorities, err := c.clientCAs()
	if err != nil {
		return nil, err
	}
	provider, err := oauth2.New(oauth2.Config{
		Fetcher: keyFetcher{egress.New(c.egress())}, Documents: documentFetcher{egress.New(c.egress())}, Certificates: c.certificates(), ClientCAs: authorities,
		Store: db, Now: time.Now, Record: server.RecordOAuth(labels, engine), Replayed: o.metrics.replays.Inc,
		Secret: derive(master, "tokens"), SealKey: derive(master, "seal"), KeySeals: c.keySeals(master), KeyRotation: c.KeyRotation,
	})
	if err != nil {
		return nil, err
	}
	settings, err := settingsDigest(c)
	if err != nil {
		return nil, err
	}
	post, err := mailTransport(c, log)
	if err != nil {
		return nil, err
	}
	sinks, err := c.sinks(log)
	if err != nil {
		return nil, err
	}
	traces := server.Traces{Tracer: o.tracing.tracer()}
	traces.Ratio, traces.Random, traces.Trusted = o.tracing.sampling()
	cfg := server.Config{
		Sinks: sinks, Retention: c.retention(),
		Store: db, Policy: engine, OAuth: provider, Log: log, Now: time.Now, Labels: labels, Home: homeTenant(c),
		CursorKey: derive(master, "cursors"), CSRFKey: derive(master, "csrf"),
		Limits: c.Limits == "on", Trusted: c.proxies, CertificateHeader: c.ClientCertHeader, Traces: traces, Trail: trailOf(c, master, labels["id"]),
		Mail: post, AlertMailTo: c.AlertMailTo, Settings: settings, Egress: c.egress(),
	}
	o.metrics.watch(&cfg)
	return server.New(cfg)
}

// listening says where the listeners are.
type listening struct{ ops string }

// listen opens both listeners, calls ready between opening and announcing, and
// serves until ctx ends: /readyz turns first, then the doors close, then what
// is in flight finishes.
func listen(ctx context.Context, c *Config, srv *server.Server, o *ops, ready func(listening) error) error {
	opsLn, err := net.Listen("tcp", c.OpsListen)
	if err != nil {
		return usage("%v (choose another with --ops-listen)", err)
	}
	defer opsLn.Close()
	ln, err := publicListener(c)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- o.serve(opsLn) }()
	if err := ready(listening{ops: "http://" + opsLn.Addr().String()}); err != nil {
		return errors.Join(err, ln.Close())
	}
	if err := srv.Start(); err != nil {
		return errors.Join(err, ln.Close())
	}
	debug.FreeOSMemory() // what the start alone needed: compiling the policy, hashing
	go func() { failed <- srv.Serve(ln) }()
	o.ready.Store(true)
	select {
	case err = <-failed:
		if err != nil {
			err = refused("%w", err) // it worked before: no configuration is at fault
		}
	case <-ctx.Done():
	}
	o.ready.Store(false)
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.ShutdownTimeout)
	defer cancel()
	if stopped := errors.Join(srv.Shutdown(bounded), o.http.Shutdown(bounded)); stopped != nil {
		err = errors.Join(err, refused("%w", stopped))
	}
	return err
}

func publicListener(c *Config) (net.Listener, error) {
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, usage("%v (choose another with --listen)", err)
	}
	if c.TLSCert == "" {
		return ln, nil
	}
	cert, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, errors.Join(usage("tls: %v", err), ln.Close())
	}
	lowest := uint16(tls.VersionTLS13)
	if c.TLSMin == "1.2" {
		lowest = tls.VersionTLS12
	}
	t := &tls.Config{
		Certificates: []tls.Certificate{cert}, MinVersion: lowest,
		NextProtos: []string{"http/1.1"}, // no h2: fasthttp speaks HTTP/1.1 only
	}
	if c.TLSClientCerts == "on" {
		// Asked for, not demanded, and not verified: most browsers have none, and
		// those of RFC 8705 §2.2 have no issuer. Who relies on one checks it.
		t.ClientAuth = tls.RequestClientCert
	}
	return tls.NewListener(ln, t), nil
}

func openPolicy(dir string, pseudonyms []byte) (*policies.Engine, error) {
	key := policies.PseudonymKey(pseudonyms)
	if dir == "" {
		return policies.Open(policies.Embedded(), key)
	}
	return policies.Open(os.DirFS(dir), key)
}

func newLog(c *Config) *slog.Logger {
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}

// tuneMemory lets garbage grow further before it is collected, within a bound:
// allocation, not size, is what costs the tail. GOGC and GOMEMLIMIT still win.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(512 << 20)
	}
}
