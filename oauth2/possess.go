package oauth2

import (
	"context"
	"slices"

	"github.com/pointgate/pointgate/store"
)

// possess finds out what the tokens that an authenticated client asks for will be
// bound to: to the key of its DPoP proof (RFC 9449 §5), or to the certificate that
// it has proven itself by or is registered for (RFC 8705 §3).
func (p *Provider) possess(x *exchange) (err error) {
	r, c := x.request, x.client
	switch {
	case c.Bound == BoundMTLS && (r.Certificate == nil || len(r.DPoP) > 0):
		return refuse("invalid_request").saying("The tokens of this client are bound to its certificate: show it, and no DPoP proof.")
	case c.Bound == BoundDPoP || len(r.DPoP) > 0:
		if x.proof, err = p.proven(r, c.Public); err == nil {
			x.cnf = x.proof.cnf
		}
	case c.Bound == BoundMTLS || x.method == methodTLS || x.method == methodSelfSigned:
		x.cnf = boundTo(r.Certificate)
	}
	return err
}

// proven reads the proof of a request to an endpoint of this server. Without a
// nonce a proof could have been made long before, by who had the key for a moment:
// what a public client's proofs open is refreshed for months, and there is no
// other secret. Those of clients with a secret of their own may name one.
func (p *Provider) proven(r *Request, nonceNeeded bool) (*proof, error) {
	pr, err := readProof(r.DPoP)
	if err == nil {
		err = pr.check(r.Method, r.URL, p.now())
	}
	if err == nil && (nonceNeeded || pr.nonce != "") && !p.fresh(r.Tenant, pr.nonce) {
		err = refuse("use_dpop_nonce")
	}
	if err != nil {
		return nil, err
	}
	return pr, nil
}

// spendProof makes the end of the proof the first step: of two requests with the
// same one, one gets something.
func (x *exchange) spendProof() {
	if x.proof == nil {
		return
	}
	x.steps = slices.Insert(x.steps, 0, func(ctx context.Context, tx *store.Tx) error { return spend(ctx, tx, x.tenant, x.proof) })
}

// refreshCnf is what a refresh token is bound to. Those of public clients are
// bound to what the first was asked for with (RFC 9449 §5, RFC 8705 §4); others
// are to the client, which proves itself by other means and may change its keys.
func (x *exchange) refreshCnf() string {
	if x.client.Public {
		return x.cnf
	}
	return ""
}
