package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
)

//go:embed static
var staticFiles embed.FS

// asset is one static file; its path holds its hash, so it may be kept for ever.
type asset struct {
	path, mediaType string
	body            []byte
}

var assets = loadAssets()

func loadAssets() map[string]asset {
	out := map[string]asset{}
	files, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		panic(err) // the folder is embedded: only a broken build gets here
	}
	for _, f := range files {
		body, err := staticFiles.ReadFile("static/" + f.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(f.Name())
		out[f.Name()] = asset{
			path:      "/static/" + strings.TrimSuffix(f.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext,
			mediaType: mime.TypeByExtension(ext), body: body,
		}
	}
	return out
}

// assetPath is the URL of a static file.
func assetPath(name string) (string, error) {
	a, ok := assets[name]
	if !ok {
		return "", fs.ErrNotExist
	}
	return a.path, nil
}

// Static serves the style sheet and the logo.
func (p *Pages) Static() fiber.Handler {
	byPath := map[string]asset{}
	for _, a := range assets {
		byPath[a.path] = a
	}
	return func(c *fiber.Ctx) error {
		a, ok := byPath[c.Path()]
		if !ok {
			return p.refuse(c, web.NewProblem("not_found", "There is no such page."))
		}
		return (&web.Answer{
			Status: fiber.StatusOK, Type: a.mediaType, Body: a.body, Code: "ok",
			Header: map[string]string{"Cache-Control": "public, max-age=31536000, immutable"},
		}).Send(c)
	}
}
