package gate

import (
	"strings"

	"github.com/pointgate/pointgate/server/web"
)

// challenge is the WWW-Authenticate of RFC 6750 §3 and RFC 9728 §5.1: an error
// is named only where a credential was sent.
func challenge(c *Call, p *web.Problem) map[string]string {
	realm := scheme(c) + ` realm="` + c.Tenant.Issuer + `", resource_metadata="` + c.Tenant.Issuer + `/.well-known/oauth-protected-resource/api"`
	switch {
	case p.Code == "missing_credentials":
		return map[string]string{"WWW-Authenticate": realm}
	case p.Status == 401:
		return map[string]string{"WWW-Authenticate": realm + fault(c, p)}
	case p.Code == "missing_scope":
		return map[string]string{"WWW-Authenticate": realm + `, error="insufficient_scope", scope="` + strings.Join(p.Needed, " ") + `"`}
	}
	return nil
}

// head puts the headers on an answer that every gated one carries, and those
// of an answer to a valid token.
func head(c *Call, a *web.Answer) {
	if a.Header == nil {
		a.Header = map[string]string{}
	}
	a.Header["X-Decision-Id"] = c.DecisionID
	if c.Caller.Status != web.Valid || c.Caller.Method == "session" {
		return
	}
	a.Header["X-OAuth-Scopes"] = strings.Join(c.Caller.Scopes, " ")
	a.Header["X-Accepted-OAuth-Scopes"] = strings.Join(c.Decision.Needed, " ")
}
