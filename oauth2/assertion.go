package oauth2

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/pointgate/pointgate/store"
)

// The bounds of a client's assertion (RFC 7523 §3).
const (
	assertionType  = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	maxAssertion   = 8 << 10 // bytes
	maxAssertionID = 256     // bytes of jti
	assertionLife  = 5 * time.Minute
	clockSkew      = 30 * time.Second // that the client's clock may be ahead
	clusterSkew    = time.Minute      // that the clocks of two nodes may differ by
)

// errAssertion and its like are for the operator: the client is told that it
// could not be authenticated, whatever was wrong.
var (
	errAssertion       = errors.New("not a signed JWT of a kind that is taken")
	errAssertionClaims = errors.New("iss, sub, aud, exp, nbf, iat or jti is not as it must be")
	errAssertionKey    = errors.New("no key of the client has made the signature")
	errAssertionUsed   = errors.New("the jti was used before")
)

// assertion is a JWT by which a client proves who it is. Nothing of it is known
// to be true before its signature was checked.
type assertion struct {
	*jws
	issuer, id string
	expires    time.Time
}

// readAssertion takes one apart. The type in its header, if there is one, must
// not be that of something else that the same key signs, as a DPoP proof
// (RFC 8725 §3.11).
func readAssertion(raw string) (*assertion, error) {
	j, err := parseJWS(raw, maxAssertion)
	if err != nil {
		return nil, errAssertion
	}
	typ := strings.ToLower(text(j.header["typ"]))
	if _, there := j.header["typ"]; there && typ != "jwt" && typ != "client-authentication+jwt" {
		return nil, errAssertion
	}
	exp, _ := seconds(j.claims["exp"])
	return &assertion{jws: j, issuer: text(j.claims["iss"]), id: text(j.claims["jti"]), expires: time.Unix(exp, 0)}, nil
}

// check looks at all but the signature (RFC 7523 §3): the client speaks for
// itself, to this server alone, and for a short time.
func (a *assertion) check(t *store.Tenant, now time.Time) error {
	good := a.issuer != "" && text(a.claims["sub"]) == a.issuer && addressed(a.claims["aud"], t) &&
		a.id != "" && len(a.id) <= maxAssertionID &&
		now.Before(a.expires) && !a.expires.After(now.Add(assertionLife+clockSkew)) &&
		begun(a.claims["nbf"], now) && begun(a.claims["iat"], now)
	if !good {
		return errAssertionClaims
	}
	return nil
}

// addressed reports whether all of the audiences are names of this tenant's
// server: one that is also for somebody else could be shown here by them
// (RFC 9126 §2 names the three).
func addressed(raw json.RawMessage, t *store.Tenant) bool {
	all := []string{text(raw)}
	if len(raw) > 0 && raw[0] == '[' && json.Unmarshal(raw, &all) != nil {
		return false
	}
	names := []string{t.Issuer, t.Issuer + "/oauth2/token", t.Issuer + "/oauth2/par"}
	return len(all) > 0 && !slices.ContainsFunc(all, func(a string) bool { return !slices.Contains(names, a) })
}

// begun reports whether the time of nbf or iat has come; they may be missing.
func begun(raw json.RawMessage, now time.Time) bool {
	if len(raw) == 0 {
		return true
	}
	at, ok := seconds(raw)
	return ok && !time.Unix(at, 0).After(now.Add(clockSkew))
}

// signedBy reports whether one of the keys made the signature. A kid names its
// key; without one, there must be no choice. Where no key fits, a signature is
// checked all the same, so that the time tells nobody which keys there are.
func (a *assertion) signedBy(keys []publicKey) bool {
	var fit []publicKey
	for _, k := range keys {
		if a.fits(&k) {
			fit = append(fit, k)
		}
	}
	if len(fit) != 1 {
		i := slices.IndexFunc(nobodysKeys, func(k publicKey) bool { return k.does(a.alg) })
		a.verifiedBy(&nobodysKeys[i]) // there is one for each that parseJWS takes
		return false
	}
	return a.verifiedBy(&fit[0])
}

// fits reports whether the key may have made the signature, by its header.
func (a *assertion) fits(k *publicKey) bool {
	kid, named := a.header["kid"]
	return k.does(a.alg) && (!named || k.id != "" && k.id == text(kid))
}

// checkAssertion proves that the client made the assertion, and uses it up: a
// request for which it was good can't be repeated, whatever became of it. c is
// nil where there is no such client, or it proves itself in another way: that
// costs the same, but for reading its keys.
func (p *Provider) checkAssertion(ctx context.Context, x *exchange, c *client, a *assertion) error {
	if err := a.check(x.tenant, x.now); err != nil {
		return refuse("invalid_client").because(err)
	}
	var keys []publicKey
	if c != nil {
		var err error
		if keys, err = p.keysOf(ctx, c, a.fits); err != nil {
			return refuse("invalid_client").because(err)
		}
	}
	if !a.signedBy(keys) || c == nil {
		return refuse("invalid_client").because(errAssertionKey)
	}
	return p.useUp(ctx, x, c, a)
}

// useUp notes the jti in a write of its own, so that it is gone also where the
// request is refused later on.
func (p *Provider) useUp(ctx context.Context, x *exchange, c *client, a *assertion) error {
	err := p.store.Write(ctx, func(tx *store.Tx) error {
		first, err := tx.Once(ctx, replayKey("assertion", c.Tenant, c.ID, a.id), store.At(a.expires.Add(clusterSkew)))
		if err == nil && !first {
			return refuse("invalid_client").because(errAssertionUsed)
		}
		return err
	})
	if e := (*Error)(nil); errors.As(err, &e) {
		return err
	}
	return x.failed(err)
}

// nobodysKeys are compared with where there is no key: one for each algorithm. A
// signature that fits one of them proves nothing.
var nobodysKeys = makeNobodysKeys()

func makeNobodysKeys() []publicKey {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // never fails: see crypto/rand
	}
	large := new(big.Int).Lsh(big.NewInt(1), minRSABits)
	odd := &rsa.PublicKey{N: large.Sub(large, big.NewInt(1)), E: 65537} // nothing but as large as one
	return []publicKey{{key: &ec.PublicKey}, {key: odd}, {key: ed25519.PublicKey(nowhere)}}
}
