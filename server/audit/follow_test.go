package audit

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store/trail"
)

// mounted is the publisher behind the routes that package server gives it.
func mounted(p *Publisher) *fiber.App {
	app := fiber.New(fiber.Config{StrictRouting: true, CaseSensitive: true})
	app.Use(func(c *fiber.Ctx) error { web.SetEvent(c, web.NewEvent("", time.Now())); return c.Next() })
	app.Get("/audit/checkpoint", p.Checkpoint())
	app.Get("/audit/cosigned", p.Cosigned())
	app.Get("/audit/keys", p.VerifierKeys())
	app.Get("/audit/tile/*", p.Tile())
	return app
}

func get(t *testing.T, app *fiber.App, path string) (*http.Response, []byte) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://points.example/", nil)
	r.RequestURI = path // to the byte as it stands here
	res, err := app.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}

// stranger follows the log over HTTP with the library of the Go checksum
// database alone. It implements [tlog.TileReader].
type stranger struct {
	t     *testing.T
	app   *fiber.App
	tiles int
}

func (s *stranger) Height() int                     { return 8 }
func (s *stranger) SaveTiles([]tlog.Tile, [][]byte) {}

func (s *stranger) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		res, body := get(s.t, s.app, "/audit/"+strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if res.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %d", tile.Path(), res.StatusCode)
		}
		s.tiles++
		data = append(data, body)
	}
	return data, nil
}

func (s *stranger) checkpoint(vkeys []string) tlog.Tree {
	s.t.Helper()
	_, body := get(s.t, s.app, "/audit/checkpoint")
	c, err := trail.Open(body, vkeys...)
	if err != nil {
		s.t.Fatal(err)
	}
	return tlog.Tree{N: c.Size, Hash: c.Root}
}

// entries reads all entries up to a size, and checks each against the tree.
func (s *stranger) entries(tree tlog.Tree) {
	s.t.Helper()
	reader := tlog.TileHashReader(tree, s)
	for n := int64(0); n*256 < tree.N; n++ {
		tile := trail.Tile{Entries: true, N: n, Width: int(min(256, tree.N-n*256))}
		res, body := get(s.t, s.app, "/audit/tile/"+tile.Path())
		if res.StatusCode != http.StatusOK || len(body) != 34*tile.Width {
			s.t.Fatalf("%s: %d, %d bytes", tile.Path(), res.StatusCode, len(body))
		}
		var indexes []int64
		for i := range tile.Width {
			indexes = append(indexes, tlog.StoredHashIndex(0, n*256+int64(i)))
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil {
			s.t.Fatal(err)
		}
		for i := range tile.Width {
			entry := body[34*i:]
			if binary.BigEndian.Uint16(entry) != 32 || tlog.RecordHash(entry[2:34]) != hashes[i] {
				s.t.Fatalf("the entry %d is not in the tree", n*256+int64(i))
			}
		}
	}
}

func TestAStrangerFollowsTheLog(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		p := w.open()
		s := &stranger{t: t, app: mounted(p)}
		w.fill(300)
		w.flush(p)
		before := s.checkpoint(w.vkeys())
		s.entries(before)
		for range 3 {
			w.fill(212)
			w.flush(p)
		}
		after := s.checkpoint(w.vkeys())
		if after.N != before.N+3*212 {
			t.Fatalf("%d after %d", after.N, before.N)
		}
		s.entries(after)
		proof, err := tlog.ProveTree(after.N, before.N, tlog.TileHashReader(after, s))
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckTree(proof, after.N, after.Hash, before.N, before.Hash); err != nil {
			t.Error(err)
		}
	})
}

// TestAStrangerReadsThreeLevels has more leaves than two levels of tiles hold.
func TestAStrangerReadsThreeLevels(t *testing.T) {
	oneWorld(t, func(w *world) {
		t := w.T
		p := w.open()
		for range 7 {
			w.fill(9_500)
		}
		w.flush(p)
		s := &stranger{t: t, app: mounted(p)}
		tree := s.checkpoint(w.vkeys())
		if tree.N <= 256*256 {
			t.Fatalf("%d are not enough", tree.N)
		}
		for _, index := range []int64{0, 255, 256, 65_535, 65_536, tree.N - 1} {
			s.tiles = 0
			proof, err := tlog.ProveRecord(tree.N, index, tlog.TileHashReader(tree, s))
			if err != nil {
				t.Fatal(err)
			}
			entries, err := w.db.Entries(ctx, index, index+1)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, entries[0].Leaf()); err != nil {
				t.Errorf("record %d: %v", index, err)
			}
			if s.tiles > 8 {
				t.Errorf("record %d took %d tiles", index, s.tiles)
			}
		}
	})
}

func TestWhatIsServedAndHow(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		p := w.open()
		w.fill(600)
		w.flush(p)
		w.fill(100) // committed, not published
		app := mounted(p)
		for path, want := range map[string]struct {
			status      int
			kind, cache string
		}{
			"/audit/checkpoint":               {200, "text/plain; charset=utf-8", "public, max-age=1"},
			"/audit/keys":                     {200, "text/plain; charset=utf-8", "public, max-age=1"},
			"/audit/cosigned":                 {404, "", ""},
			"/audit/tile/0/000":               {200, "application/octet-stream", forEver},
			"/audit/tile/0/001":               {200, "application/octet-stream", forEver},
			"/audit/tile/0/002.p/89":          {200, "application/octet-stream", forEver},
			"/audit/tile/0/002.p/90":          {404, "", ""}, // in the database, not in the checkpoint
			"/audit/tile/0/002":               {404, "", ""},
			"/audit/tile/1/000.p/2":           {200, "application/octet-stream", forEver},
			"/audit/tile/1/000.p/3":           {404, "", ""},
			"/audit/tile/entries/000":         {200, "application/octet-stream", forEver},
			"/audit/tile/entries/002.p/89":    {200, "application/octet-stream", forEver},
			"/audit/tile/entries/002.p/90":    {404, "", ""},
			"/audit/tile/0/%30%30%30":         {404, "", ""},
			"/audit/tile/0//000":              {404, "", ""},
			"/audit/tile/0/x/../000":          {404, "", ""},
			"/audit/tile/00/000":              {404, "", ""},
			"/audit/tile/9/000":               {404, "", ""},
			"/audit/tile/0/x999/x999/999":     {404, "", ""},
			"/audit/tile/":                    {404, "", ""},
			"/audit/tile/0/000.p/256":         {404, "", ""},
			"/audit/tile/0/000.p/1":           {200, "application/octet-stream", forEver},
			"/audit/tile/entries/x000/000":    {404, "", ""},
			"/audit/tile/entries/000/":        {404, "", ""},
			"/audit/tile/0/000?cache=busting": {200, "application/octet-stream", forEver},
		} {
			res, body := get(t, app, path)
			if res.StatusCode != want.status {
				t.Errorf("%s: %d, want %d", path, res.StatusCode, want.status)
			}
			if want.status == 200 && (res.Header.Get("Content-Type") != want.kind || res.Header.Get("Cache-Control") != want.cache) {
				t.Errorf("%s: %q %q", path, res.Header.Get("Content-Type"), res.Header.Get("Cache-Control"))
			}
			if path == "/audit/keys" && string(body) != w.vkeys()[0]+"\n" {
				t.Errorf("the keys: %q", body)
			}
		}
		w.config.Private = true
		for name, p := range map[string]*Publisher{"private": w.open(), "none": nil} {
			for _, path := range []string{"/audit/checkpoint", "/audit/keys", "/audit/tile/0/000"} {
				if res, _ := get(t, mounted(p), path); res.StatusCode != 404 {
					t.Errorf("%s, %s: %d", name, path, res.StatusCode)
				}
			}
		}
	})
}

// TestTilesOfAnotherNodesCheckpoint: a reader who has one node's checkpoint asks
// another for the tiles.
func TestTilesOfAnotherNodesCheckpoint(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		leader := w.open()
		w.config.Holder = "two"
		other := w.open()
		w.fill(20)
		c := w.flush(leader)
		if res, _ := get(t, mounted(other), fmt.Sprintf("/audit/tile/0/000.p/%d", c.Size)); res.StatusCode != 200 {
			t.Errorf("%d", res.StatusCode)
		}
	})
}
