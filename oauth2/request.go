package oauth2

import (
	"crypto/x509"
	"net/http"
	"net/url"
	"strings"

	"github.com/pointgate/pointgate/store"
)

// Request is what an endpoint for clients was sent: a form, already parsed
// strictly, and the Authorization header, empty if there is none. Both are
// copies that may be kept.
type Request struct {
	Tenant        *store.Tenant
	Form          url.Values
	Authorization string
	Method, URL   string            // of the endpoint, as the outside knows it: made of the issuer, never of a Host header
	DPoP          []string          // all DPoP headers (RFC 9449)
	Certificate   *x509.Certificate // that the client showed, nil if it did not; nobody has checked who issued it
	IP            string
	// Nonce is set by the Provider to what is to be answered as DPoP-Nonce; "" is nothing.
	Nonce string
	// Client is set by the Provider to the client that proved who it is, or, of a
	// public one, that said so. For the access log.
	Client string
	// Proven is set by the Provider where that client has proven it: not of a
	// public one, which can't.
	Proven bool
	// Claimed is set by the Provider to a client that there is, and that the
	// request did not prove to be.
	Claimed string
}

// note keeps who the client is, or said that it is, for who asked the Provider.
func (r *Request) note(x *exchange) {
	r.Claimed = x.claimed
	if x.client != nil {
		r.Client, r.Proven = x.client.ID, !x.client.Public
	}
}

// single refuses a form in which a parameter stands twice (RFC 6749 §3.1, §3.2):
// fosite would take the first, the next reader perhaps the last.
func single(form url.Values) error {
	for name, v := range form {
		if len(v) != 1 && name != "resource" {
			return refuse("invalid_request").saying("A parameter is given twice.")
		}
	}
	if len(form["resource"]) > 1 { // the one that may stand twice (RFC 8707 §2)
		return refuse("invalid_target").saying("Tokens are for one resource each: ask for one at a time.")
	}
	return nil
}

// checkScope refuses letters that no scope has (RFC 6749 §3.3): fosite would trim
// the white space of all scripts off the names, and so take one for another. It
// refuses spaces without a name, which would count as asking for the default.
func checkScope(form url.Values) error {
	scope := form.Get("scope")
	if scope != "" && strings.Trim(scope, " ") == "" {
		return refuse("invalid_scope")
	}
	for _, r := range scope {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return refuse("invalid_scope")
		}
	}
	return nil
}

// httpRequest is the least that fosite reads. Without a Content-Type it parses
// no body, and takes the forms as they are.
func httpRequest(method string, form url.Values, authorization string) *http.Request {
	r := &http.Request{Method: method, URL: &url.URL{}, Header: http.Header{}, Form: form, PostForm: form}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return r
}

// pick is a new form of some parameters: fosite gets to see nothing else.
func pick(form url.Values, names ...string) url.Values {
	out := url.Values{}
	for _, n := range names {
		if v := form.Get(n); v != "" {
			out.Set(n, v)
		}
	}
	return out
}
