package authn

import (
	"context"
	"slices"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// APIToken is the method of people's own tokens (pgt_), as Bearer. The caller
// is the person, with the scopes of the token that their roles give them today.
type APIToken struct {
	Keys Keys
	// ScopesOf are the scopes that a member of staff with these roles may have.
	ScopesOf func(roles []string) []string
}

// Name implements [Method].
func (APIToken) Name() string { return "api_token" }

// Find implements [Method].
func (APIToken) Find(c *Credentials) bool { return c.bearer(TokenPrefix) }

// Authenticate implements [Method].
func (m APIToken) Authenticate(ctx context.Context, c *Credentials) (web.Caller, error) {
	h, status, err := m.Keys.holder(ctx, c.Secret)
	if h == nil {
		return web.Anonymous(m.Name(), status), err
	}
	k := web.Caller{
		Method: m.Name(), Status: status, Type: h.UserType, ID: h.UserID, Tenant: h.Tenant,
		Roles: h.Roles, Scopes: m.scopes(h),
		IssuedAt: h.CreatedAt.Time, GrantID: h.ID,
	}
	if !h.HolderThere {
		k.Type, k.ID = "anonymous", "" // the person is gone: nobody is left to be
	}
	return k, err
}

// scopes are those of the token that its person could be given today.
func (m APIToken) scopes(h *store.KeyHolder) []string {
	may := m.ScopesOf(h.Roles)
	var out []string
	for _, s := range h.Scopes {
		if oauth2.MayHold(h.UserType, s) && (h.UserType != "staff" || slices.Contains(may, s)) {
			out = append(out, s)
		}
	}
	return out
}
