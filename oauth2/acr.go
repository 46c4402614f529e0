package oauth2

import "slices"

// SingleFactor is the authentication context class of a login by a password
// alone: a value of acr and acr_values (OpenID Connect Core §2, RFC 9470 §3).
// It is the only one that the login page can give.
const SingleFactor = "urn:pointgate:acr:1fa"

// ACRs are the classes that there are, the weakest first.
func ACRs() []string { return []string{SingleFactor} }

// ACR is the class of a login that was done by these methods (RFC 8176); empty
// where nobody is known to have logged in.
func ACR(amr []string) string {
	if slices.Contains(amr, "pwd") {
		return SingleFactor
	}
	return ""
}
