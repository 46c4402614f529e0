package oauth2

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pointgate/pointgate/store"
)

// Documents gets the document that is a client's id, which is an address that
// anybody may have named: it must reach public places alone, and take little
// time and space. The answer is the body, and the value of Cache-Control.
type Documents interface {
	GetDocument(ctx context.Context, url string) (body []byte, cacheControl string, err error)
}

// How long what was read of a document is good.
const (
	minFresh   = 5 * time.Minute
	usualFresh = time.Hour
	maxFresh   = 24 * time.Hour

	maxDocumentID  = 256
	methodDocument = "document" // how such a client proves what it is: [Act].Method
)

// isDocumentID reports whether an id is the address of a document
// (draft-ietf-oauth-client-id-metadata-document §3): https with a path, in its
// plain spelling; here also without a query. http on loopback is such an id too,
// for who may call there.
func isDocumentID(id string) bool {
	u, err := url.Parse(id)
	if err != nil || len(id) > maxDocumentID || u.String() != id || strings.ContainsAny(id, "#?*\\ ") || u.User != nil || u.Hostname() == "" {
		return false
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopbackLiteral(u)) {
		return false
	}
	for _, segment := range strings.Split(u.Path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return len(u.Path) > 1
}

// documented reports whether the tenant takes documents as clients.
func (p *Provider) documented(t *store.Tenant) bool { return t.ClientDocuments && p.documents != nil }

// NeedsDocument reports whether an authorization request is of a client whose
// document has to be read first, or again; host is where it is. Nothing is
// fetched before a person has logged in: strangers can't make this server call
// anybody.
func (p *Provider) NeedsDocument(ctx context.Context, t *store.Tenant, form url.Values) (id, host string, needed bool, err error) {
	id = form.Get("client_id")
	if !p.documented(t) || len(form["client_id"]) != 1 || !isDocumentID(id) {
		return "", "", false, nil
	}
	c, err := store.GetClient(ctx, p.store, t.ID, id)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return "", "", false, unavailable(err)
	case err == nil && (c.RegisteredBy != "document" || !c.DisabledAt.IsZero() || p.now().Before(c.FreshUntil.Time)):
		return "", "", false, nil
	}
	u, _ := url.Parse(id) // see isDocumentID
	return id, u.Host, true, nil
}

// ReadDocument fetches a client's document, which [Provider.NeedsDocument] said
// is needed, and prepares the client that it describes. Its errors are to be
// shown: nothing is known of where else they could go.
func (p *Provider) ReadDocument(ctx context.Context, t *store.Tenant, id string) (*Prepared[struct{}], error) {
	_, x := p.begin(ctx, t)
	body, cacheControl, err := p.documents.GetDocument(ctx, id)
	if err != nil {
		return nil, refuse("invalid_client").saying("The document of this application can not be read.").because(err)
	}
	c := &store.Client{
		Tenant: t.ID, ID: id, CreatedAt: store.At(x.now), RegisteredBy: "document", FreshUntil: store.At(x.now.Add(freshFor(cacheControl))),
	}
	if refused := readDocument(t, c, body); refused != nil {
		return nil, refuse("invalid_client").saying("The document of this application is not valid.").because(refused)
	}
	x.add(func(ctx context.Context, tx *store.Tx) error { return keepDocument(ctx, tx, c) })
	act := registrationAct("client.register", t, c, methodDocument)
	return &Prepared[struct{}]{act, x, func() struct{} { return struct{}{} }}, nil
}

// readDocument fills a client with what its document says. It says itself whose
// it is, and has no secret: whoever reads it would know it.
func readDocument(t *store.Tenant, c *store.Client, body []byte) *Error {
	members, err := object(body)
	if err != nil {
		return refuse("invalid_client_metadata").saying("The body is not a JSON object, or has a member twice.")
	}
	_, secret := members["client_secret"]
	_, expires := members["client_secret_expires_at"]
	if text(members["client_id"]) != c.ID || secret || expires {
		return refuse("invalid_client_metadata").saying("It is not about this client, or has a secret.")
	}
	m := clientMetadata{members: members}
	if !m.given("token_endpoint_auth_method") {
		members["token_endpoint_auth_method"] = json.RawMessage(`"` + methodNone + `"`)
	}
	if !m.given("client_name") {
		u, _ := url.Parse(c.ID) // see isDocumentID
		members["client_name"] = json.RawMessage(strconv.Quote(u.Hostname()))
	}
	if refused := readClientMetadata(t, c, members); refused != nil {
		return refused
	}
	if c.AuthMethod != methodNone && c.AuthMethod != methodAssertion {
		return refuse("invalid_client_metadata").saying("A client that is a document has no secret.")
	}
	return nil
}

// keepDocument keeps the client, new or again, and asks people anew where its
// answers go elsewhere now.
func keepDocument(ctx context.Context, tx *store.Tx, c *store.Client) error {
	was, err := store.GetClient(ctx, tx, c.Tenant, c.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		n, err := store.CountClients(ctx, tx, c.Tenant, c.RegisteredBy, "")
		if err != nil {
			return err
		}
		if n >= maxDynamic {
			return refuse("temporarily_unavailable").saying("Too many clients have registered themselves here.")
		}
	case err != nil:
		return err
	case !slices.Equal(was.RedirectURIs, c.RedirectURIs):
		if err := tx.Forget(ctx, store.ConsentMatch{Tenant: c.Tenant, Client: c.ID}); err != nil {
			return err
		}
	}
	ok, err := tx.KeepDocument(ctx, c)
	if err == nil && !ok {
		err = refuse("invalid_client").saying("This application is not known here.")
	}
	return err
}

// freshFor is how long a document is good by its Cache-Control (RFC 9111 §5.2),
// within our bounds: none for so short that each login fetches, none for so long
// that a mended one is not seen.
func freshFor(cacheControl string) time.Duration {
	fresh := usualFresh
	for directive := range strings.SplitSeq(cacheControl, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache":
			return minFresh
		case "max-age":
			if n, err := strconv.ParseInt(strings.Trim(value, `"`), 10, 32); err == nil && n >= 0 {
				fresh = time.Duration(n) * time.Second
			}
		}
	}
	return min(max(fresh, minFresh), maxFresh)
}
