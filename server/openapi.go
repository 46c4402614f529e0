package server

import (
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/gofiber/fiber/v2"
)

// openAPIDocument describes every route; a test compares the two.
//
//go:embed openapi.yaml
var openAPIDocument []byte

// openAPI is GET /openapi.json: the same for everyone, so it passes no gate and
// may be kept for an hour.
func openAPI() fiber.Handler {
	document, err := yaml.YAMLToJSON(openAPIDocument)
	if err != nil {
		panic(fmt.Errorf("openapi.yaml: %w", err)) // it is part of the program, and a test reads it
	}
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(document)
	}
}
