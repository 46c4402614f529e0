package pages

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Pages makes the handlers. All fields are set before use.
type Pages struct {
	Gate      *gate.Gate
	Store     *store.DB
	Session   *authn.Sessions
	Passwords *authn.Passwords
	Forms     authn.Forms
	Consents  Consents
	// RoleScopes are the scopes that a member of staff with the role may have.
	RoleScopes func(role string) []string
	// Throttle charges one attempt to the key, of which so many may be made in a
	// minute, and says how long to wait if it is over. Nil: no throttling.
	Throttle func(key string, perMinute int) (wait time.Duration, ok bool)
	Now      func() time.Time
}

// Consents is what the consent page needs of package oauth2.
type Consents interface {
	// OpenFlow opens a sealed authorization request. It fails for one that was
	// changed, is too old, or was begun by another person or session.
	OpenFlow(sealed, userID, sessionID string) (*oauth2.Flow, error)
	// Approve gives the client a code for these scopes and returns where the
	// browser goes. A flow is approved at most once.
	Approve(ctx context.Context, f *oauth2.Flow, p oauth2.Person, scopes []string) (location string, err error)
	// Deny returns where the browser goes with access_denied.
	Deny(f *oauth2.Flow) (location string)
}

// signedIn is the person with a good session of this tenant, or nil. It opens
// the ways that have no gate: sign-in, consent, home.
func signedIn(c *fiber.Ctx) *web.Caller {
	k, t := web.CallerOf(c), web.TenantOf(c)
	if k == nil || t == nil || k.Method != "session" || k.Status != web.Valid || k.Tenant != t.ID {
		return nil
	}
	return k
}
