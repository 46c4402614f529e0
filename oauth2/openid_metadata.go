package oauth2

import "github.com/pointgate/pointgate/store"

// OpenIDMetadata is what OpenID Connect Discovery §3 adds to RFC 8414.
type OpenIDMetadata struct {
	UserInfo            string   `json:"userinfo_endpoint"`
	JWKS                string   `json:"jwks_uri"`
	SubjectTypes        []string `json:"subject_types_supported"`
	IDTokenAlgs         []string `json:"id_token_signing_alg_values_supported"`
	Claims              []string `json:"claims_supported"`
	ClaimsParameter     bool     `json:"claims_parameter_supported"`
	RequestParameter    bool     `json:"request_parameter_supported"`
	RequestURIParameter bool     `json:"request_uri_parameter_supported"` // of request objects; left out, it would be true
	EndSession          string   `json:"end_session_endpoint"`            // RP-Initiated Logout §2.1
	BackchannelLogout   bool     `json:"backchannel_logout_supported"`    // Back-Channel Logout §2.1
	BackchannelSession  bool     `json:"backchannel_logout_session_supported"`
}

// idTokenClaims are those of an ID token, and of the userinfo endpoint.
var idTokenClaims = []string{
	"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid", "name", "email", "email_verified",
}

func openIDMetadata(t *store.Tenant) OpenIDMetadata {
	return OpenIDMetadata{
		UserInfo: t.Issuer + "/oauth2/userinfo", JWKS: t.Issuer + "/oauth2/jwks",
		SubjectTypes: []string{"public"}, IDTokenAlgs: SigningAlgs, Claims: idTokenClaims,
		EndSession: t.Issuer + "/oauth2/logout", BackchannelLogout: true, BackchannelSession: true,
	}
}
