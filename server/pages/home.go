package pages

import (
	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/authn"
)

// Home says what this is, to those who are not signed in.
func (p *Pages) Home() fiber.Handler {
	return func(c *fiber.Ctx) error {
		if authn.SignedIn(c) != nil {
			return see("/account", "ok").Send(c)
		}
		return page(fiber.StatusOK, "home", base(c, "Your points")).Send(c)
	}
}
