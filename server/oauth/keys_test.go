package oauth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// published is what stands at the addresses of clients' keys.
type published struct {
	mu    sync.Mutex
	sets  map[string]string
	asked int
	gate  chan struct{} // not nil: each answer waits for it
}

// Get implements oauth2.Fetcher.
func (p *published) Get(_ context.Context, url string) ([]byte, error) {
	p.mu.Lock()
	p.asked++
	set, there := p.sets[url]
	gate := p.gate
	p.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if !there {
		return nil, errors.New("connection refused")
	}
	return []byte(set), nil
}

// publish puts keys to an address, and tells how often it was asked since.
func (p *published) publish(url, set string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sets, p.asked = map[string]string{url: set}, 0
}

func (p *published) times() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// setOf is a key set; the keys are named k0, k1, …
func setOf(w testing.TB, keys ...*jwttest.Key) string {
	w.Helper()
	var all []map[string]any
	for i, k := range keys {
		j := k.JWK()
		j["kid"] = "k" + string(rune('0'+i))
		all = append(all, j)
	}
	raw, err := json.Marshal(map[string]any{"keys": all})
	if err != nil {
		w.Fatal(err)
	}
	return string(raw)
}

// keyed registers a client that proves itself by keys.
func (w *world) keyed(id string, keys ...*jwttest.Key) *store.Client {
	w.Helper()
	return w.client(id, "", func(c *store.Client) {
		c.AuthMethod, c.JWKS = "private_key_jwt", setOf(w, keys...)
		c.GrantTypes = append(c.GrantTypes, "client_credentials")
	})
}

// alter changes the schema behind everyone's back.
func (w *world) alter(statement string) {
	w.Helper()
	storetest.Write(w, w.db, func(tx *store.Tx) error {
		_, err := tx.Exec(context.Background(), statement)
		return err
	})
}

// claims are those of a good assertion, with changes; nil removes one.
func (w *world) claims(client string, changes map[string]any) map[string]any {
	c := map[string]any{
		"iss": client, "sub": client, "aud": issuer, "jti": rand.Text(),
		"iat": w.now().Unix(), "exp": w.now().Add(time.Minute).Unix(),
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// assertion is a good one, by the client's only or first key.
func (w *world) assertion(k *jwttest.Key, client string, changes map[string]any) string {
	w.Helper()
	return k.Sign(w, map[string]any{"alg": k.Alg, "kid": "k0"}, w.claims(client, changes))
}

// ca is a certificate authority.
type ca struct {
	key  crypto.Signer
	cert *x509.Certificate
	pool *x509.CertPool
}

// authority is the one that the worlds trust.
var authority = sync.OnceValue(newCA)

func newCA() *ca {
	k, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err2 := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	cert, err3 := x509.ParseCertificate(der)
	if err := errors.Join(err1, err2, err3); err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &ca{k, cert, pool}
}

// itself is a key that says it is the authority of the worlds.
func itself(k *jwttest.Key) *ca {
	cert := *authority().cert
	cert.PublicKey = nil // which would show that it is not
	return &ca{key: k.Signer(), cert: &cert}
}

// issue makes a certificate for a key, good for client authentication.
func (c *ca) issue(t testing.TB, k *jwttest.Key, edit func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "app", Organization: []string{"Demo"}}, DNSNames: []string{"app.demo.example"},
		NotBefore: c.cert.NotBefore, NotAfter: c.cert.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, c.cert, k.Signer().Public(), c.key)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pushes are the rows of all pushed requests.
func (w *world) pushes() (rows []store.PushedRequest) {
	w.Helper()
	if err := w.db.Select(context.Background(), &rows, `SELECT hash, tenant, client_id, form, created_at, expires_at, used_at FROM pushed_requests`); err != nil {
		w.Fatal(err)
	}
	return rows
}
