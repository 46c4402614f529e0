package oauth2

import "github.com/pointgate/pointgate/store"

// ServerMetadata is the document of RFC 8414 and OpenID Connect Discovery. It
// lists what works, nothing else.
type ServerMetadata struct {
	OpenIDMetadata
	Issuer                   string   `json:"issuer"`
	Authorization            string   `json:"authorization_endpoint"`
	Token                    string   `json:"token_endpoint"`
	Introspection            string   `json:"introspection_endpoint"`
	Revocation               string   `json:"revocation_endpoint"`
	DeviceAuthorization      string   `json:"device_authorization_endpoint"`   // RFC 8628 §4
	Registration             string   `json:"registration_endpoint,omitempty"` // RFC 7591; where clients may register themselves
	ClientDocuments          bool     `json:"client_id_metadata_document_supported,omitempty"`
	Push                     string   `json:"pushed_authorization_request_endpoint"` // RFC 9126 §5
	RequirePush              bool     `json:"require_pushed_authorization_requests"` // of all clients: no
	Scopes                   []string `json:"scopes_supported"`
	ResponseTypes            []string `json:"response_types_supported"`
	ResponseModes            []string `json:"response_modes_supported"`
	GrantTypes               []string `json:"grant_types_supported"`
	TokenAuthMethods         []string `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgs            []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAuthMethods []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAuthAlgs    []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	RevocationAuthMethods    []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAuthAlgs       []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	ChallengeMethods         []string `json:"code_challenge_methods_supported"`
	AuthorizationIssuer      bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	ProtectedResources       []string `json:"protected_resources"`                            // RFC 9728 §4
	ACRValues                []string `json:"acr_values_supported"`                           // RFC 9470 §7
	PromptValues             []string `json:"prompt_values_supported"`
	ProofAlgs                []string `json:"dpop_signing_alg_values_supported"`          // RFC 9449 §5.1
	CertificateBound         bool     `json:"tls_client_certificate_bound_access_tokens"` // RFC 8705 §3.3
}

// ResourceMetadata is the document of RFC 9728 about a tenant's API.
type ResourceMetadata struct {
	Resource             string   `json:"resource"`
	Name                 string   `json:"resource_name"`
	AuthorizationServers []string `json:"authorization_servers"`
	Scopes               []string `json:"scopes_supported"`
	BearerMethods        []string `json:"bearer_methods_supported"`
	ProofAlgs            []string `json:"dpop_signing_alg_values_supported"`
	ProofRequired        bool     `json:"dpop_bound_access_tokens_required"` // bearer tokens are taken, too
	CertificateBound     bool     `json:"tls_client_certificate_bound_access_tokens"`
}

// Metadata describes the tenant's authorization server.
func (p *Provider) Metadata(t *store.Tenant) ServerMetadata {
	confidential := keep(p.methods, func(m string) bool { return m != methodNone })
	var registration string
	if t.Registration == RegistrationToken || t.Registration == RegistrationOpen {
		registration = t.Issuer + "/oauth2/register"
	}
	return ServerMetadata{
		Issuer:                   t.Issuer,
		Authorization:            t.Issuer + "/oauth2/authorize",
		Token:                    t.Issuer + "/oauth2/token",
		Introspection:            t.Issuer + "/oauth2/introspect",
		Revocation:               t.Issuer + "/oauth2/revoke",
		DeviceAuthorization:      t.Issuer + "/oauth2/device_authorization",
		Push:                     t.Issuer + "/oauth2/par",
		OpenIDMetadata:           openIDMetadata(t),
		Scopes:                   append(apiScopes(), openid, "email", "profile", offline),
		Registration:             registration,
		ClientDocuments:          p.documented(t),
		ResponseTypes:            []string{"code"},
		ResponseModes:            []string{"query"},
		GrantTypes:               grantTypes,
		TokenAuthMethods:         p.AuthMethods(),
		TokenAuthAlgs:            signatureAlgs,
		IntrospectionAuthMethods: confidential,
		IntrospectionAuthAlgs:    signatureAlgs,
		RevocationAuthMethods:    p.AuthMethods(),
		RevocationAuthAlgs:       signatureAlgs,
		ChallengeMethods:         []string{"S256"},
		AuthorizationIssuer:      true,
		ProtectedResources:       []string{t.Resource()},
		ACRValues:                ACRs(),
		PromptValues:             prompts,
		ProofAlgs:                signatureAlgs,
		CertificateBound:         p.certified,
	}
}

// ResourceMetadata describes the tenant's API.
func (p *Provider) ResourceMetadata(t *store.Tenant) ResourceMetadata {
	return ResourceMetadata{
		Resource: t.Resource(), Name: t.Name, AuthorizationServers: []string{t.Issuer},
		Scopes: apiScopes(), BearerMethods: []string{"header"}, ProofAlgs: signatureAlgs, CertificateBound: p.certified,
	}
}

func apiScopes() []string {
	var out []string
	for _, s := range scopes {
		if s.API {
			out = append(out, s.Name)
		}
	}
	return out
}
