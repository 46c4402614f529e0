package oauth2

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/ory/fosite"

	"github.com/pointgate/pointgate/store"
)

// authenticateFor is authenticate as fosite's ClientAuthenticationStrategy. The
// key that the client shows belongs to it: no code and no token is looked at
// before both are sure.
func (p *Provider) authenticateFor(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
	x := exchangeOf(ctx)
	c, err := p.authenticate(ctx, x, r.Header.Get("Authorization"), form)
	if err == nil {
		err = p.possess(x)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// authenticate finds the client that sent a request and proves that it did, by
// the method that it is registered for and no other. A public client only says
// who it is. An unknown client costs what a wrong secret or signature costs, and
// gets the same answer.
func (p *Provider) authenticate(ctx context.Context, x *exchange, authorization string, form url.Values) (*client, error) {
	shown, err := readCredentials(authorization, form)
	if err != nil {
		return nil, err
	}
	c, err := p.client(ctx, x, shown.id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err := p.prove(ctx, x, c, shown); err != nil {
		if c != nil {
			x.claimed = c.ID
		}
		return nil, err
	}
	x.client, x.method = c, shown.method
	if shown.method == "" {
		x.method = methodOf(c.Client)
	}
	return c, nil
}

// prove checks what was shown. A client that is not there is nil, and so is, from
// here on, one that has another method.
func (p *Provider) prove(ctx context.Context, x *exchange, c *client, shown *credentials) error {
	if c != nil && !takes(c.Client, shown.method) {
		c = nil
	}
	switch {
	case shown.method == methodAssertion:
		return p.checkAssertion(ctx, x, c, shown.assertion)
	case shown.method != "":
		err := p.checkSecret(ctx, x, shown)
		if err == nil && c == nil {
			err = refuse("invalid_client")
		}
		return err
	case c != nil && c.Public:
		return nil
	}
	return p.checkCertificate(ctx, c, x.request.Certificate, x.now)
}

// methodOf is how a client that shows nothing in its request proves who it is.
func methodOf(c *store.Client) string {
	if c.Public {
		return methodNone
	}
	return c.AuthMethod
}

// takes reports whether the client may prove itself by what was shown: its own
// method, either of the two for a secret where none is registered, and nothing
// in the request ("") where it is public or has a certificate.
func takes(c *store.Client, shown string) bool {
	switch shown {
	case methodBasic, methodPost:
		return HasSecret(c) && (c.AuthMethod == "" || c.AuthMethod == shown)
	case methodAssertion:
		return !c.Public && c.AuthMethod == methodAssertion
	}
	return c.Public || c.AuthMethod == methodTLS || c.AuthMethod == methodSelfSigned
}

// checkSecret compares with each of the client's secrets that has not expired.
func (p *Provider) checkSecret(ctx context.Context, x *exchange, shown *credentials) error {
	id := shown.id
	if !plausible(id) {
		id = ""
	}
	secrets, err := store.ClientSecrets(ctx, p.store, x.tenant.ID, id)
	if err != nil {
		return x.failed(err)
	}
	if len(secrets) == 0 {
		secrets = []store.ClientSecret{{Hash: nowhere}}
	}
	right := false
	for _, s := range secrets {
		same := p.hasher.Compare(ctx, s.Hash, []byte(shown.secret)) == nil
		right = right || same && (s.ExpiresAt.IsZero() || x.now.Before(s.ExpiresAt.Time))
	}
	if !right || shown.secret == "" {
		return refuse("invalid_client")
	}
	return nil
}

// nowhere is compared with where there is no secret. It is the hash of nothing
// that anyone knows.
var nowhere = make([]byte, 32)
