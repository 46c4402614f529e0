package oauth2

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/pkce"

	"github.com/pointgate/pointgate/store"
)

// How long things live. No token outlives its grant.
const (
	CodeLifetime    = 60 * time.Second
	AccessLifetime  = 15 * time.Minute
	RefreshLifetime = 30 * 24 * time.Hour // if it is not used
	GrantLifetime   = 90 * 24 * time.Hour // of a grant with a refresh token
	FlowLifetime    = 10 * time.Minute    // of a request that waits for consent
	LoginLifetime   = time.Hour           // of one that waits for somebody to log in
)

const keyLength = 32

// Config is what a [Provider] is made of.
type Config struct {
	Store *store.DB
	// Secret signs codes and tokens; at least 32 bytes, all of which count.
	// Another one makes all that was issued junk.
	Secret []byte
	// SealKey encrypts pending requests and the successors of refresh tokens;
	// at least 32 bytes.
	SealKey []byte
	// KeySeals encrypt the private halves of signing keys, at least 32 bytes each:
	// the first seals, all of them open. None: it is derived from SealKey.
	KeySeals [][]byte
	// KeyRotation is how long a signing key signs before another does; 0: until
	// it is told to end.
	KeyRotation time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Fetcher gets the keys of clients that publish them (jwks_uri); nil: nobody's.
	Fetcher Fetcher
	// Documents gets the documents that are clients (CIMD); nil: none is one.
	Documents Documents
	// Certificates says that the certificates of clients reach this server
	// (Request.Certificate); without, no client can prove itself by one.
	Certificates bool
	// ClientCAs are the authorities of tls_client_auth; nil: no client has it.
	ClientCAs *x509.CertPool
	// Record is told of everything that the Provider gave or ended, inside the
	// write that did it, so that it can be recorded there. ctx is the one that the
	// Provider was called with. nil means nobody asks.
	Record func(ctx context.Context, tx *store.Tx, e Event)
	// Replayed is told of each answer to a refresh that is given once more, for
	// metrics. nil: nobody is.
	Replayed func()
}

// Provider is the authorization server. It is safe for concurrent use and keeps
// nothing between requests but the keys that clients publish: what is durable is
// in the store, and a request that waits for consent travels with the browser,
// sealed.
type Provider struct {
	store    *store.DB
	now      func() time.Time
	record   func(ctx context.Context, tx *store.Tx, e Event)
	replayed func()
	fosite   *fosite.Fosite
	hasher   fosite.Hasher
	code     *kind
	access   *kind
	refresh  *kind
	device   *kind
	userKey  []byte // of the hashes of user codes
	flows    sealer
	signing  *signing
	sealKey  []byte

	nonceKey []byte // of DPoP

	methods   []string // by which clients can prove who they are
	certified bool     // certificates of clients reach this server
	clientCAs *x509.CertPool
	remote    *keyCache
	documents Documents
}

// New makes a Provider, or says what is wrong with the configuration.
func New(c Config) (*Provider, error) {
	switch {
	case c.Store == nil:
		return nil, errors.New("oauth2: a store is needed")
	case len(c.Secret) < keyLength || len(c.SealKey) < keyLength:
		return nil, errors.New("oauth2: Secret and SealKey need 32 bytes each")
	}
	p := &Provider{
		store: c.Store, now: c.Now, record: c.Record, hasher: secretHasher{}, sealKey: c.SealKey,
		code: newKind("pgc_", c.Secret), access: newKind(accessPrefix, c.Secret), refresh: newKind("pgr_", c.Secret),
		device: newKind("pgd_", c.Secret), userKey: derive(c.Secret, nil, "pointgate user code"),
		flows:    sealer{key: derive(c.SealKey, nil, "pointgate flow")},
		nonceKey: derive(c.Secret, nil, "pointgate dpop nonce"),
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.replayed = c.Replayed; p.replayed == nil {
		p.replayed = func() {}
	}
	if p.record == nil {
		p.record = func(context.Context, *store.Tx, Event) {}
	}
	if len(c.KeySeals) == 0 {
		c.KeySeals = [][]byte{c.SealKey}
	}
	seals, err := keySeals(c.KeySeals)
	if err != nil {
		return nil, err
	}
	p.signing = &signing{store: c.Store, now: p.now, seals: seals, every: c.KeyRotation, record: p.record}
	p.signing.ring.Store(&ring{})
	p.documents = c.Documents
	p.methods, p.clientCAs, p.remote = offeredMethods(&c), c.ClientCAs, newKeyCache(c.Fetcher, p.now)
	p.certified = c.Certificates
	p.fosite = p.newFosite()
	return p, nil
}

func keySeals(keys [][]byte) (out []sealer, err error) {
	for _, k := range keys {
		if len(k) < keyLength {
			return nil, errors.New("oauth2: KeySeals need 32 bytes each")
		}
		out = append(out, sealer{key: derive(k, nil, "pointgate signing keys")})
	}
	return out, nil
}

// newFosite presets every field that fosite would fill in at its first use:
// that is a data race between the first requests.
func (p *Provider) newFosite() *fosite.Fosite {
	c := &config{fosite.Config{
		AccessTokenLifespan:          AccessLifetime,
		RefreshTokenLifespan:         RefreshLifetime,
		AuthorizeCodeLifespan:        CodeLifetime,
		ScopeStrategy:                fosite.ExactScopeStrategy,
		AudienceMatchingStrategy:     fosite.ExactAudienceMatchingStrategy,
		EnforcePKCE:                  true,
		RefreshTokenScopes:           []string{offline},
		MinParameterEntropy:          1, // see harmlessState
		OmitRedirectScopeParam:       true,
		RedirectSecureChecker:        redirectSecure,
		ClientSecretsHasher:          p.hasher,
		ClientAuthenticationStrategy: p.authenticateFor,
	}}
	s, t := storage{p}, strategy{p}
	code := &oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: t, RefreshTokenStrategy: t, AuthorizeCodeStrategy: t,
		CoreStorage: s, TokenRevocationStorage: s, Config: c,
	}
	proof := &pkce.Handler{AuthorizeCodeStrategy: t, Storage: s, Config: c}
	own := &clientCredentials{&oauth2.ClientCredentialsGrantHandler{
		HandleHelper: &oauth2.HandleHelper{AccessTokenStrategy: t, AccessTokenStorage: s, Config: c}, Config: c,
	}, p}
	c.AuthorizeEndpointHandlers = fosite.AuthorizeEndpointHandlers{code, proof}
	c.TokenEndpointHandlers = fosite.TokenEndpointHandlers{code, proof, own, &refreshToken{p}, &deviceCode{p}, &tokenExchange{p}}
	return fosite.NewOAuth2Provider(s, c)
}

// config is fosite's, without the fetcher of remote keys that it would make at
// first use: keys are fetched by the [Fetcher] alone.
type config struct{ fosite.Config }

// GetJWKSFetcherStrategy implements fosite.JWKSFetcherStrategyProvider.
func (*config) GetJWKSFetcherStrategy(context.Context) fosite.JWKSFetcherStrategy { return nil }
