package oauth2

import (
	"slices"

	"github.com/pointgate/pointgate/store"
)

// UserInfo is what a client may know of a person (OpenID Connect Core §5.3).
type UserInfo struct {
	Subject string `json:"sub"`
	Name    string `json:"name,omitempty"`  // with the scope profile
	Email   string `json:"email,omitempty"` // with the scope email
	// EmailVerified is false: nobody has checked that the address is theirs.
	EmailVerified *bool `json:"email_verified,omitempty"`
}

// UserInfoOf is what these scopes open.
func UserInfoOf(u *store.User, scopes []string) UserInfo {
	out := UserInfo{Subject: u.ID}
	if slices.Contains(scopes, "profile") {
		out.Name = u.Name
	}
	if slices.Contains(scopes, "email") && u.Email != "" {
		out.Email, out.EmailVerified = u.Email, new(bool)
	}
	return out
}
