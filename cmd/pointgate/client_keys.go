package main

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"os"

	"github.com/pointgate/pointgate/server/egress"
)

// maxKeySet is the most that is read of a client's key set, in bytes.
const maxKeySet = 32 << 10

// keyFetcher gets the key sets that clients publish.
type keyFetcher struct{ client *egress.Client }

var errNoKeySet = errors.New("there is no key set at the address: its status is not 200")

// Get implements oauth2.Fetcher.
func (f keyFetcher) Get(ctx context.Context, url string) ([]byte, error) {
	a, err := f.client.Get(ctx, url, maxKeySet)
	switch {
	case err != nil:
		return nil, err
	case a.Status != http.StatusOK:
		return nil, errNoKeySet
	}
	return a.Body, nil
}

// certificates says whether those of clients come here at all: over TLS that
// ends here, or in a header of a proxy.
func (c *Config) certificates() bool {
	return c.TLSCert != "" && c.TLSClientCerts == "on" || c.ClientCertHeader != ""
}

// clientCAs reads the authorities of clients' certificates; nil where there are
// none.
func (c *Config) clientCAs() (*x509.CertPool, error) {
	if c.ClientCA == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(c.ClientCA)
	if err != nil {
		return nil, usage("client-ca: %v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, usage("client-ca: %s holds no certificate (PEM)", c.ClientCA)
	}
	return pool, nil
}
