package pages

import (
	"errors"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// How many codes of devices may be tried in a minute (RFC 8628 §5.1). There are
// 25,600,000,000, and one is good for ten minutes.
const (
	codesPerAccount = 10
	codesPerAddress = 20
	codesPerTenant  = 300
)

type deviceView struct {
	Code string // as it was typed
	Done string // approved or denied
}

type deviceConsentView struct {
	App, Account, Code, IP, Resource string
	Since                            store.Time
	Scopes                           []scopeView
}

// Device is where a person types the code that a device shows. One that came in
// the link is filled in, and has to be compared and sent like any other: a link
// must not be enough to let in a stranger's device (RFC 8628 §5.4).
func (p *Pages) Device() fiber.Handler {
	return func(c *fiber.Ctx) error {
		r, k := web.Read(c), authn.SignedIn(c)
		code := query(r, "user_code")
		if k == nil {
			return signInFor(c, code)
		}
		return p.devicePage(c, k, fiber.StatusOK, "", deviceView{Code: code, Done: query(r, "done")})
	}
}

// PostDevice finds the device of a code and asks what it may do; with a decision,
// it carries that out.
func (p *Pages) PostDevice() fiber.Handler {
	return func(c *fiber.Ctx) error {
		r, k := web.Read(c), authn.SignedIn(c)
		in, fault := form(r, "scope")
		if k == nil && fault == nil {
			p.count(c, web.NewProblem("missing_credentials", "The person is signed out."))
			return signInFor(c, in.Get("user_code"))
		}
		if in, fault = p.signedForm(r, "scope"); fault != nil {
			return p.refuse(c, fault)
		}
		typed := deviceView{Code: in.Get("user_code")}
		if wait, ok := p.mayGuess(r, k); !ok {
			p.count(c, web.NewProblem("rate_limited", triedTooOften))
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
			return p.devicePage(c, k, fiber.StatusTooManyRequests, triedTooOften, typed)
		}
		d, err := p.Devices.FindDevice(c.UserContext(), r.Tenant, k.Type, typed.Code)
		switch {
		case errors.Is(err, oauth2.ErrDevice):
			p.count(c, web.BadRequest(noDevice))
			return p.devicePage(c, k, fiber.StatusBadRequest, noDevice, typed)
		case err != nil:
			return p.Refusal(c, web.NewProblem("store_unavailable", "Nothing was changed. Please try again in a minute.").Because(err))
		}
		return p.deviceDecision(c, k, d, in)
	}
}

const (
	noDevice      = "No device waits with this code. Please compare it with the one that your device shows; after ten minutes it shows a new one."
	triedTooOften = "That was tried too often. Please wait a minute, then try again."
)

// deviceDecision asks the person, or carries out what they answered.
func (p *Pages) deviceDecision(c *fiber.Ctx, k *web.Caller, d *oauth2.Device, in url.Values) error {
	var a *web.Answer
	switch in.Get("decision") {
	case "":
		return p.deviceConsent(c, k, d)
	case "approve":
		a = p.Devices.ApproveDevice(c, d, personOf(k), in["scope"])
	case "deny":
		a = p.Devices.DenyDevice(c, d, personOf(k))
	default:
		return p.refuse(c, web.BadRequest("Answer with Allow or Deny."))
	}
	decided(c, web.EventOf(c))
	if a.Status == fiber.StatusBadRequest {
		p.count(c, web.BadRequest(noDevice))
		return p.devicePage(c, k, fiber.StatusBadRequest, noDevice, deviceView{})
	}
	return p.show(c, a)
}

// mayGuess charges a code that is tried to the address, the account, and all.
func (p *Pages) mayGuess(r *web.Request, k *web.Caller) (wait time.Duration, ok bool) {
	if p.Throttle == nil {
		return 0, true
	}
	tenant := r.Tenant.ID + "\x00"
	for _, by := range []struct {
		key       string
		perMinute int
	}{
		{"device address\x00" + tenant + web.Network(r.Origin.IP), codesPerAddress},
		{"device account\x00" + tenant + k.ID, codesPerAccount},
		{"device\x00" + tenant, codesPerTenant},
	} {
		if wait, ok = p.Throttle(by.key, by.perMinute); !ok {
			return wait, false
		}
	}
	return 0, true
}

// signInFor sends the person to sign in, and back to the code.
func signInFor(c *fiber.Ctx, code string) error {
	back := "/device"
	if code != "" && len(code) <= 64 {
		back += "?user_code=" + url.QueryEscape(code)
	}
	return see("/login?return_to="+url.QueryEscape(back), "missing_credentials").Send(c)
}

// devicePage asks for a code, or says what became of one.
func (p *Pages) devicePage(c *fiber.Ctx, k *web.Caller, status int, alert string, in deviceView) error {
	u, err := store.GetUser(c.UserContext(), p.Store, k.Tenant, k.ID)
	if err != nil {
		return p.Refusal(c, web.NewProblem("store_unavailable", "Please try again in a minute.").Because(err))
	}
	if in.Code = in.Code[:min(len(in.Code), 64)]; in.Done != "approved" && in.Done != "denied" {
		in.Done = ""
	}
	v := base(c, "Connect a device")
	v.CSRF, v.Person, v.Alert, v.Page = p.Forms.Token(k), u.Email, alert, in
	a := page(status, "device", v)
	a.Code = map[int]string{fiber.StatusBadRequest: "invalid_request", fiber.StatusTooManyRequests: "rate_limited", fiber.StatusOK: "ok"}[status]
	return a.Send(c)
}

// deviceConsent asks the person what a device may do.
func (p *Pages) deviceConsent(c *fiber.Ctx, k *web.Caller, d *oauth2.Device) error {
	u, err := store.GetUser(c.UserContext(), p.Store, k.Tenant, k.ID)
	if err != nil {
		return p.Refusal(c, web.NewProblem("store_unavailable", "Nothing was changed. Please try again in a minute.").Because(err))
	}
	v := base(c, "Allow "+d.ClientName+"?")
	v.CSRF, v.Person = p.Forms.Token(k), u.Email
	v.Page = deviceConsentView{
		App: d.ClientName, Account: u.Email, Code: d.UserCode, IP: d.IP, Resource: d.Resource, Since: store.At(d.StartedAt), Scopes: asked(k.Type, d.Scopes, nil),
	}
	return page(fiber.StatusOK, "device_consent", v).Send(c)
}
