package oauth2

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"strings"

	"github.com/pointgate/pointgate/store"
)

// How a token may be bound to a key, in the words that rules see and clients are
// registered with.
const (
	BoundDPoP = "dpop" // RFC 9449
	BoundMTLS = "mtls" // RFC 8705 §3
)

// The kinds of binding, as they are kept: with the thumbprint behind it.
const (
	dpopPrefix = "dpop:"
	x5tPrefix  = "x5t:"
)

// boundBy is BoundDPoP, BoundMTLS or "", by what is kept with a token.
func boundBy(cnf string) string {
	switch {
	case strings.HasPrefix(cnf, dpopPrefix):
		return BoundDPoP
	case strings.HasPrefix(cnf, x5tPrefix):
		return BoundMTLS
	}
	return ""
}

// boundTo is the binding to a certificate (RFC 8705 §3.1); "" without one.
func boundTo(cert *x509.Certificate) string {
	if cert == nil {
		return ""
	}
	sum := sha256.Sum256(cert.Raw)
	return x5tPrefix + encode(sum[:])
}

// Confirmation is the member cnf of a token that is bound (RFC 9449 §6, RFC 8705
// §3.1); nil: of one that is not.
type Confirmation struct {
	JKT string `json:"jkt,omitempty"`
	X5T string `json:"x5t#S256,omitempty"`
}

func confirmation(cnf string) *Confirmation {
	switch boundBy(cnf) {
	case BoundDPoP:
		return &Confirmation{JKT: strings.TrimPrefix(cnf, dpopPrefix)}
	case BoundMTLS:
		return &Confirmation{X5T: strings.TrimPrefix(cnf, x5tPrefix)}
	}
	return nil
}

// tokenType is how a token is to be sent (RFC 9449 §5, RFC 8705 §3).
func tokenType(cnf string) string {
	if boundBy(cnf) == BoundDPoP {
		return "DPoP"
	}
	return "Bearer"
}

// Shown is what a request shows beside its access token.
type Shown struct {
	Scheme      string // that the token came by: bearer or dpop
	Method, URL string // of the request, as the outside knows it
	DPoP        []string
	Certificate *x509.Certificate
}

// Prove checks that a token is sent by who it is bound to: with a proof of its
// key that is for this token and request and was never shown before, or over a
// connection with its certificate. A token that is bound is no bearer token, and
// one that is not can't be sent as if it were. An *[Error] says what is wrong, in
// a code and a text that the caller may know; any other is of the store.
func (p *Provider) Prove(ctx context.Context, tenant *store.Tenant, token string, t *Token, s *Shown) error {
	switch bound := boundBy(t.Cnf); {
	case bound == BoundDPoP && s.Scheme != "dpop":
		return refuse("invalid_token").saying("The token is bound to a key: send it with the DPoP scheme and a proof.")
	case bound != BoundDPoP && s.Scheme == "dpop":
		return refuse("invalid_token").saying("The token is not bound to a key of DPoP: send it with the Bearer scheme.")
	case bound == BoundMTLS && boundTo(s.Certificate) != t.Cnf:
		return refuse("invalid_token").saying("The token is bound to another client certificate.")
	case bound != BoundDPoP:
		return nil
	}
	pr, err := readProof(s.DPoP)
	if err != nil {
		return err
	}
	if err := pr.check(s.Method, s.URL, p.now()); err != nil {
		return err
	}
	switch {
	case pr.ath != hashOf(token):
		return unproven("The DPoP proof is for another token (ath).")
	case pr.cnf != t.Cnf:
		return refuse("invalid_token").saying("The token is bound to another key than the proof's.")
	case pr.nonce != "" && !p.fresh(tenant, pr.nonce):
		return refuse("use_dpop_nonce")
	}
	return p.store.Write(ctx, func(tx *store.Tx) error { return spend(ctx, tx, tenant, pr) })
}

// spend notes a proof, which is good for one request on all nodes.
func spend(ctx context.Context, tx *store.Tx, tenant *store.Tenant, p *proof) error {
	first, err := tx.Once(ctx, p.key(tenant), store.At(p.at.Add(proofKept)))
	if err == nil && !first {
		err = unproven("The DPoP proof was used before (jti).")
	}
	return err
}
