package oauth2

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ory/fosite"

	"github.com/pointgate/pointgate/store"
)

// credentials are what a client showed of itself (RFC 6749 §2.3).
type credentials struct{ id, secret string }

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

// authenticate finds the client that sent a request and proves that it did. A
// public client only says who it is. An unknown client costs the same two
// queries and a comparison as a wrong secret, and gets the same answer.
func (p *Provider) authenticate(ctx context.Context, x *exchange, authorization string, form url.Values) (*client, error) {
	shown, err := readCredentials(authorization, form)
	if err != nil {
		return nil, err
	}
	c, err := p.client(ctx, x, shown.id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if c != nil && c.Public {
		if shown.secret != "" {
			x.claimed = c.ID
			return nil, refuse("invalid_client") // it has none, so this is somebody's mistake or guess
		}
		x.client, x.method = c, "none"
		return c, nil
	}
	if err := p.checkSecret(ctx, x, shown); err != nil {
		if c != nil {
			x.claimed = c.ID
		}
		return nil, err
	}
	if c == nil {
		return nil, refuse("invalid_client")
	}
	x.client, x.method = c, "client_secret_post"
	if authorization != "" {
		x.method = "client_secret_basic"
	}
	return c, nil
}

// checkSecret compares with each of the client's secrets that has not expired.
func (p *Provider) checkSecret(ctx context.Context, x *exchange, shown credentials) error {
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

// readCredentials takes one method of authentication: Basic or the body, not
// both (RFC 6749 §2.3), and no assertion, which is not supported.
func readCredentials(authorization string, form url.Values) (credentials, error) {
	body := credentials{form.Get("client_id"), form.Get("client_secret")}
	assertion := form.Get("client_assertion") != "" || form.Get("client_assertion_type") != ""
	switch {
	case authorization == "" && !assertion:
		if body.id == "" {
			return body, refuse("invalid_client")
		}
		return body, nil
	case body.secret != "", authorization != "" && assertion:
		return body, refuse("invalid_request").saying("Credentials are given in two ways.")
	case assertion:
		return body, refuse("invalid_client")
	}
	basic, ok := parseBasic(authorization)
	if !ok {
		return basic, refuse("invalid_client")
	}
	if body.id != "" && body.id != basic.id {
		return basic, refuse("invalid_request").saying("The client_id is not the one of the Authorization header.")
	}
	return basic, nil
}

// parseBasic reads id and secret, which are form-encoded inside of Basic
// (RFC 6749 §2.3.1, appendix B).
func parseBasic(authorization string) (credentials, bool) {
	scheme, raw, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return credentials{}, false
	}
	plain, err := base64.StdEncoding.DecodeString(raw)
	if err != nil {
		return credentials{}, false
	}
	id, secret, ok := strings.Cut(string(plain), ":")
	if !ok {
		return credentials{}, false
	}
	id, err = url.QueryUnescape(id)
	if err != nil {
		return credentials{}, false
	}
	secret, err = url.QueryUnescape(secret)
	return credentials{id, secret}, err == nil
}
