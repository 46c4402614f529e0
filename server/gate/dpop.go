package gate

import "github.com/pointgate/pointgate/server/web"

// The schemes that a token may be sent by.
const (
	schemeBearer = "Bearer"
	schemeDPoP   = "DPoP"
)

// scheme is the one that a challenge is for. Who used DPoP is answered in DPoP
// alone: clients that look for its errors expect no other challenge beside it.
func scheme(c *Call) string {
	if c.Caller.DPoP {
		return schemeDPoP
	}
	return schemeBearer
}

// beside is what RFC 9449 §7.1 adds to a challenge: the algorithms of proofs, and,
// for who has no good token and did not use it, that there is the scheme.
func beside(c *Call, p *web.Problem) string {
	algs := `algs="` + web.ProofAlgs + `"`
	switch {
	case c.Caller.DPoP:
		return ", " + algs
	case p.Status == 401 && p.Code != insufficient:
		return ", " + schemeDPoP + " " + algs
	}
	return ""
}

// fault is what is wrong with a credential: what its proof of possession lacks,
// where that is it.
func fault(c *Call, p *web.Problem) string {
	code, detail := "invalid_token", p.Title
	if c.Caller.Fault != "" {
		code, detail = c.Caller.Fault, c.Caller.FaultDetail
	}
	return `, error="` + code + `", error_description="` + detail + `"`
}
