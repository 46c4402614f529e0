package oauth

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// devices are how many codes for devices an address may get in a minute: a public
// client proves nothing, and anybody can say that they are it.
const devices = 60

// DeviceAuthorization is POST /oauth2/device_authorization (RFC 8628 §3.1).
func (o *OAuth) DeviceAuthorization() fiber.Handler {
	return o.endpoint(func(c *fiber.Ctx, r *oauth2.Request) (*web.Answer, error) {
		if err := o.slow(c, "device", devices); err != nil {
			return nil, err
		}
		p, err := o.Provider.AuthorizeDevice(recording(c), r)
		if err != nil {
			return nil, err
		}
		return decide(c, o.Gate, p, func(a *oauth2.DeviceAuthorization) *web.Answer { return web.JSON(fiber.StatusOK, a) }, rfc("unauthorized_client")), nil
	})
}

// FindDevice finds the device that shows the code that was typed: see
// [oauth2.Provider.FindDevice].
func (o *OAuth) FindDevice(ctx context.Context, t *store.Tenant, personType, typed string) (*oauth2.Device, error) {
	return o.Provider.FindDevice(ctx, t, personType, typed)
}

// ApproveDevice makes a grant of what a person ticked for a device, which comes
// for its tokens by itself; a problem is to be shown. Nothing useful ticked is a
// denial.
func (o *OAuth) ApproveDevice(c *fiber.Ctx, d *oauth2.Device, who oauth2.Person, ticked []string) *web.Answer {
	granted := d.Ticked(who.Type, ticked)
	if len(granted) == 0 {
		return o.DenyDevice(c, d, who)
	}
	p, err := o.Provider.ApproveDevice(recording(c), web.TenantOf(c), d, who, granted)
	if err != nil {
		return o.stays(c, err)
	}
	a := decide(c, o.Gate, p, func(struct{}) *web.Answer { return goTo("/device?done=approved", "ok") }, nil)
	if a.Type == web.ProblemType || a.Status < 400 {
		return a
	}
	return closed(a.Code)
}

// DenyDevice records a person's no, of which the device learns.
func (o *OAuth) DenyDevice(c *fiber.Ctx, d *oauth2.Device, who oauth2.Person) *web.Answer {
	if err := o.Provider.DenyDevice(recording(c), web.TenantOf(c), d, who); err != nil {
		return o.stays(c, err)
	}
	return goTo("/device?done=denied", "access_denied")
}
