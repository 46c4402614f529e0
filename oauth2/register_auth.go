package oauth2

import (
	"slices"
	"strings"

	"github.com/pointgate/pointgate/store"
)

// The ways in which a client proves who it is, by their names in RFC 7591 and
// RFC 8705. A client without one has a secret and sends it as it likes.
const (
	methodBasic      = "client_secret_basic"
	methodPost       = "client_secret_post"
	methodAssertion  = "private_key_jwt"
	methodTLS        = "tls_client_auth"
	methodSelfSigned = "self_signed_tls_client_auth"
	methodNone       = "none"
)

// AuthMethods are all methods that a client can be registered for.
var AuthMethods = []string{methodBasic, methodPost, methodAssertion, methodTLS, methodSelfSigned, methodNone}

// offeredMethods are those of AuthMethods that can work as this server is set up.
func offeredMethods(c *Config) []string {
	return keep(AuthMethods, func(method string) bool {
		switch method {
		case methodTLS:
			return c.Certificates && c.ClientCAs != nil
		case methodSelfSigned:
			return c.Certificates
		}
		return true
	})
}

// AuthMethods are the methods that work at this server, out of [AuthMethods]. A
// client must not be registered for another.
func (p *Provider) AuthMethods() []string { return slices.Clone(p.methods) }

// HasSecret reports whether the client proves by a secret who it is.
func HasSecret(c *store.Client) bool {
	return !c.Public && (c.AuthMethod == "" || c.AuthMethod == methodBasic || c.AuthMethod == methodPost)
}

// authentication is about how the client proves who it is.
func (f *faults) authentication(c *store.Client) {
	const field = "token_endpoint_auth_method"
	f.check(c.AuthMethod == "" || slices.Contains(AuthMethods, c.AuthMethod), field, "It must be one of "+strings.Join(AuthMethods, ", ")+".")
	f.check(c.AuthMethod == "" || c.Public == (c.AuthMethod == methodNone), field, "A public client has none, and no other has.")
	keys := c.JWKS != "" || c.JWKSURI != ""
	f.check(keys || c.AuthMethod != methodAssertion && c.AuthMethod != methodSelfSigned, "jwks", "This method needs jwks or jwks_uri.")
	f.check(!keys || !c.Public, "jwks", "A public client has no key to prove itself with.")
	f.check(c.JWKS == "" || c.JWKSURI == "", "jwks_uri", "Keys are given or found at an address, not both.")
	f.check(c.JWKSURI == "" || isWebAddress(c.JWKSURI), "jwks_uri", webRule)
	if c.JWKS != "" {
		_, err := registrableKeys([]byte(c.JWKS))
		f.check(err == nil, "jwks", describe(err))
	}
	f.check((c.AuthMethod == methodTLS) == (c.TLSSubject != ""), "tls_client_auth_subject", "It is needed with tls_client_auth, and only there.")
	_, err := parseTLSSubject(c.TLSSubject)
	f.check(c.TLSSubject == "" || err == nil, "tls_client_auth_subject", "It must be dn:, dns:, uri:, ip: or email: and the value, as the certificate has it.")
}

// describe makes a sentence of a reason.
func describe(err error) string {
	if err == nil {
		return ""
	}
	return strings.ToUpper(err.Error()[:1]) + err.Error()[1:] + "."
}
