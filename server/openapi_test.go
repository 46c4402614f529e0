package server

import (
	"io"
	"net/http/httptest"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"
)

// served is the document as a client gets it.
func served(t *testing.T) []byte {
	t.Helper()
	app := fiber.New()
	app.Get("/openapi.json", openAPI())
	res, err := app.Test(httptest.NewRequest("GET", "/openapi.json", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || got != "application/json" {
		t.Fatalf("%d %s: %s", res.StatusCode, got, body)
	}
	return body
}

func TestTheDocumentIsOpenAPI31(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(served(t))
	if err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("version %s", doc.OpenAPI)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Error(err)
	}
}
