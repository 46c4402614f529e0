package oauth2

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pointgate/pointgate/store"
)

// PushedLifetime is how long a pushed request can be used.
const PushedLifetime = 60 * time.Second

const (
	pushedPrefix = "urn:ietf:params:oauth:request_uri:" // RFC 9126 §2.2
	maxPushed    = 8 << 10                              // bytes of a request: sealed, it travels in a URL
)

// Pushed is what a client gets for an authorization request that it has sent
// ahead (RFC 9126 §2.2).
type Pushed struct {
	RequestURI string `json:"request_uri"` // it is a secret until the browser brings it
	ExpiresIn  int64  `json:"expires_in"`  // seconds
}

// Push prepares to keep an authorization request until the browser comes with its
// handle. It is checked as [Provider.Authorize] does, so that a client learns here
// what is wrong, and no person later. Its errors are *[Error], none of them with a
// Redirect.
func (p *Provider) Push(ctx context.Context, r *Request) (*Prepared[*Pushed], error) {
	ctx, x := p.receive(ctx, r)
	defer r.note(x)
	f, form, err := p.push(ctx, x, r)
	if err != nil {
		e := errorOf(x.end(err))
		e.Redirect = "" // the client itself is listening
		return nil, e
	}
	handle := rand.Text() + rand.Text()
	row := &store.PushedRequest{
		Hash: pushedHash(handle), Tenant: x.tenant.ID, ClientID: x.client.ID, Form: form.Encode(),
		CreatedAt: store.At(x.now), ExpiresAt: store.At(x.now.Add(PushedLifetime)),
	}
	x.add(func(ctx context.Context, tx *store.Tx) error { return tx.InsertPushedRequest(ctx, row) })
	x.spendProof()
	facts := x.facts("authorization_code", f.Resource)
	facts["redirect_host"] = f.RedirectHost
	act := Act{
		Action: "request.push", Client: x.client.Client, Method: x.method, SubjectType: "client", Subject: x.client.ID,
		Scopes: f.Scopes, Object: Object{Type: "authorization_request", ID: f.ID, Owner: x.client.ID}, Facts: facts,
	}
	answer := &Pushed{RequestURI: pushedPrefix + handle, ExpiresIn: int64(PushedLifetime.Seconds())}
	return &Prepared[*Pushed]{act, x, func() *Pushed { return answer }}, nil
}

// push authenticates the client and checks its request. The form is the request
// without what the client proved itself by.
func (p *Provider) push(ctx context.Context, x *exchange, r *Request) (*Flow, url.Values, error) {
	if err := single(r.Form); err != nil {
		return nil, nil, err
	}
	c, err := p.authenticate(ctx, x, r.Authorization, r.Form)
	if err != nil {
		return nil, nil, err
	}
	form := url.Values{}
	for name, v := range r.Form {
		if name != "client_secret" && name != "client_assertion" && name != "client_assertion_type" {
			form[name] = v
		}
	}
	switch {
	case form.Has("request_uri"):
		return nil, nil, refuse("invalid_request").saying("A pushed request has no request_uri (RFC 9126).")
	case form.Get("client_id") != c.ID:
		return nil, nil, refuse("invalid_request").saying("The client_id is needed, and must be that of the client that pushes.")
	case len(form.Encode()) > maxPushed:
		e := refuse("invalid_request").saying("The request is too large.")
		e.Status = http.StatusRequestEntityTooLarge
		return nil, nil, e
	}
	if err := p.pushKey(x, r, form); err != nil {
		return nil, nil, err
	}
	x.pushed = true
	f, err := p.flow(ctx, x, form)
	return f, form, err
}

// pushKey binds the code to the key of a DPoP proof that comes with the push, as
// dpop_jkt does (RFC 9449 §10.1).
func (p *Provider) pushKey(x *exchange, r *Request, form url.Values) (err error) {
	if len(r.DPoP) == 0 {
		return nil
	}
	if x.proof, err = p.proven(r, x.client.Public); err != nil {
		return err
	}
	key := strings.TrimPrefix(x.proof.cnf, dpopPrefix)
	if form.Has("dpop_jkt") && form.Get("dpop_jkt") != key {
		return refuse("invalid_request").saying("The dpop_jkt is not the thumbprint of the key of the DPoP proof.")
	}
	form.Set("dpop_jkt", key)
	return nil
}

// pulled is the form of an authorization request: what the client has pushed,
// where the browser brings its handle. Nothing else counts then but the
// client_id (RFC 9126 §4), and the handle is used up: from here on the request
// travels sealed, so it survives a login. Another client's handle stays good.
func (p *Provider) pulled(ctx context.Context, x *exchange, form url.Values) (url.Values, error) {
	handle, is := strings.CutPrefix(form.Get("request_uri"), pushedPrefix)
	if !is || len(form["request_uri"]) != 1 || len(form["client_id"]) != 1 {
		return form, nil
	}
	if !plausible(form.Get("client_id")) {
		return nil, refuse("invalid_request_uri")
	}
	r, err := store.GetPushedRequest(ctx, p.store, x.tenant.ID, form.Get("client_id"), pushedHash(handle))
	if err == nil { // so junk makes no write
		err = p.pull(ctx, x, r)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, refuse("invalid_request_uri")
	}
	if err != nil {
		return nil, x.failed(err)
	}
	x.pushed = true
	return url.ParseQuery(r.Form)
}

// pull uses the request up; store.ErrNotFound if somebody was here before, or it
// is at its end.
func (p *Provider) pull(ctx context.Context, x *exchange, r *store.PushedRequest) error {
	if !r.UsedAt.IsZero() || !x.now.Before(r.ExpiresAt.Time) {
		return store.ErrNotFound
	}
	return p.store.Write(ctx, func(tx *store.Tx) error {
		first, err := tx.UsePushedRequest(ctx, r.Hash, store.At(x.now))
		if err == nil && !first {
			err = store.ErrNotFound
		}
		return err
	})
}

// pushedHash is how a handle is kept.
func pushedHash(handle string) []byte {
	h := sha256.Sum256([]byte(handle))
	return h[:]
}
