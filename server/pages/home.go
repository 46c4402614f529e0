package pages

import (
	"github.com/gofiber/fiber/v2"
)

// Home says what this is, to those who are not signed in.
func (p *Pages) Home() fiber.Handler {
	return func(c *fiber.Ctx) error {
		if signedIn(c) != nil {
			return see("/account", "ok").Send(c)
		}
		return page(fiber.StatusOK, "home", base(c, "Your points")).Send(c)
	}
}
