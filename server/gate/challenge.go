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
		return map[string]string{"WWW-Authenticate": realm + asked(c.Decision.Needed)}
	case p.Code == insufficient:
		return map[string]string{"WWW-Authenticate": realm + login(p)}
	case p.Status == 401:
		return map[string]string{"WWW-Authenticate": realm + fault(c, p)}
	case p.Code == "missing_scope":
		return map[string]string{"WWW-Authenticate": realm + `, error="insufficient_scope", scope="` + strings.Join(p.Needed, " ") + `"`}
	}
	return nil
}

// asked is the scope that a client without a token asks for first (RFC 6750 §3):
// one of those that the action accepts, since any will do. That a token can be
// refreshed is no API's concern.
func asked(needed []string) string {
	for _, s := range needed {
		if s = parameter(s); s != "" && s != "offline_access" {
			return `, scope="` + s + `"`
		}
	}
	return ""
}

// parameter is what of a policy's text can stand between quotes in a header.
func parameter(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, s)
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
