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

// Pages makes the handlers. All fields but those that say what nil means are
// set before use.
type Pages struct {
	Gate      *gate.Gate
	Events    *gate.Events
	Store     *store.DB
	Session   *authn.Sessions
	Passwords *authn.Passwords
	Forms     authn.Forms
	Consents  Consents
	Logins    Logins
	Logouts   Logouts
	Answers   Answers
	Devices   Devices
	// ScopesOf are the scopes that a member of staff with these roles may have.
	ScopesOf func(roles []string) []string
	// Throttle charges one attempt to the key, of which so many may be made in a
	// minute, and says how long to wait if it is over. Nil: no throttling.
	Throttle func(key string, perMinute int) (wait time.Duration, ok bool)
	Now      func() time.Time
	// Count sums up a refusal of a request that never became an operation. Nil:
	// nobody counts.
	Count func(e *web.Event, p *web.Problem)
}

// Logins is what the login page needs of package oauth2.
type Logins interface {
	// OpenLogin opens an authorization request that waits for a login here.
	OpenLogin(sealed, tenant string) (*oauth2.Flow, error)
}

// Consents is what the consent page needs of package oauth2.
type Consents interface {
	// OpenFlow opens a sealed authorization request. It fails for one that was
	// changed, is too old, or was begun by another person or session.
	OpenFlow(sealed, userID, sessionID string) (*oauth2.Flow, error)
	// Remembered is what the person gave the client before.
	Remembered(ctx context.Context, f *oauth2.Flow, userID string) ([]string, error)
}

// Answers carries out what a person answered to a client's request, as package
// oauth does: the answer takes the browser on, or is a problem to be shown.
type Answers interface {
	// Approve gives the client a code for these scopes. A flow is approved at most
	// once.
	Approve(c *fiber.Ctx, f *oauth2.Flow, p oauth2.Person, scopes []string) *web.Answer
	// Deny tells the client that the person said no.
	Deny(c *fiber.Ctx, f *oauth2.Flow, p oauth2.Person) *web.Answer
}

// Devices is what the page for devices needs of the packages oauth2 and oauth.
type Devices interface {
	// FindDevice finds the device that shows a code; oauth2.ErrDevice if none does.
	FindDevice(ctx context.Context, t *store.Tenant, personType, typed string) (*oauth2.Device, error)
	// ApproveDevice lets the device have these scopes, once. The answer takes the
	// browser on, or is a problem to be shown.
	ApproveDevice(c *fiber.Ctx, d *oauth2.Device, p oauth2.Person, scopes []string) *web.Answer
	// DenyDevice tells the device that the person said no.
	DenyDevice(c *fiber.Ctx, d *oauth2.Device, p oauth2.Person) *web.Answer
}
