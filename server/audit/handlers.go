package audit

import (
	"context"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

const (
	textType  = "text/plain; charset=utf-8"
	bytesType = fiber.MIMEOctetStream
	// What is new each second is kept by nobody for longer; a tile never changes.
	brief   = "public, max-age=1"
	forEver = "public, max-age=31536000, immutable"
)

// Checkpoint is GET /audit/checkpoint: the newest (C2SP tlog-checkpoint).
func (p *Publisher) Checkpoint() fiber.Handler {
	return p.public(func(context.Context, string) (*web.Answer, error) { return noteOf(p.current.Load()) })
}

// Cosigned is GET /audit/cosigned: the newest that a witness has cosigned.
func (p *Publisher) Cosigned() fiber.Handler {
	return p.public(func(context.Context, string) (*web.Answer, error) { return noteOf(p.cosigned.Load()) })
}

func noteOf(c *Published) (*web.Answer, error) {
	if c == nil {
		return nil, store.ErrNotFound
	}
	return found(textType, c.Note, brief), nil
}

// VerifierKeys is GET /audit/keys: all vkeys of the log, the newest first, one a
// line. An auditor compares them with those that came another way.
func (p *Publisher) VerifierKeys() fiber.Handler {
	return p.public(func(ctx context.Context, _ string) (*web.Answer, error) {
		keys, err := p.Keys(ctx)
		if err != nil {
			return nil, err
		}
		var text []byte
		for _, k := range keys {
			text = append(append(text, k.Verifier...), '\n')
		}
		return found(textType, text, brief), nil
	})
}

const tilePrefix = "/audit/tile/"

// Tile is GET /audit/tile/<L>/<N>[.p/<W>] and GET /audit/tile/entries/<N>[.p/<W>]
// (C2SP tlog-tiles). There is one spelling of each path.
func (p *Publisher) Tile() fiber.Handler {
	return p.public(func(ctx context.Context, path string) (*web.Answer, error) {
		t, ok := trail.ParseTile(strings.TrimPrefix(path, tilePrefix))
		if !ok || !strings.HasPrefix(path, tilePrefix) {
			return nil, store.ErrNotFound
		}
		if err := p.reach(ctx, t); err != nil {
			return nil, err
		}
		content, err := p.tile(ctx, t)
		if err != nil {
			return nil, err
		}
		return found(bytesType, content, forEver), nil
	})
}

// reach is nil if the published checkpoint covers the tile. Another node may have
// published more than this one knows of, and its reader ask us; only for what is
// kept is that looked up.
func (p *Publisher) reach(ctx context.Context, t trail.Tile) error {
	if t.In(p.publishedSize()) {
		return nil
	}
	now := p.current.Load()
	if now == nil {
		return store.ErrNotFound
	}
	kept, err := store.LastCheckpoint(ctx, p.c.Store, now.Origin)
	if err != nil {
		return err
	}
	if t.In(kept.Size) { // else there is nothing to follow: no stranger takes the publisher's turn for it
		if err := p.follow(ctx); err != nil {
			return err
		}
	}
	if !t.In(p.publishedSize()) {
		return store.ErrNotFound
	}
	return nil
}

func (p *Publisher) publishedSize() int64 {
	if c := p.current.Load(); c != nil {
		return c.Size
	}
	return 0
}

func (p *Publisher) tile(ctx context.Context, t trail.Tile) ([]byte, error) {
	from, to := t.Span()
	if t.Entries {
		entries, err := p.c.Store.Entries(ctx, from, to)
		if err == nil && int64(len(entries)) != to-from {
			err = store.ErrFork
		}
		return trail.Bundle(entries), err
	}
	row, err := p.c.Store.Tree(ctx).Row(t.Level*trail.TileHeight, from, to)
	content := make([]byte, 0, len(row)*len(trail.Entry{}))
	for _, h := range row {
		content = append(content, h[:]...)
	}
	return content, err
}

func found(kind string, content []byte, cache string) *web.Answer {
	return &web.Answer{
		Status: fiber.StatusOK, Type: kind, Body: content, Code: "ok",
		Header: map[string]string{fiber.HeaderCacheControl: cache},
	}
}

// public is a handler for everybody, if there is anything for everybody. It is
// given the path as it was sent: what another spelling of it would name is not
// there.
func (p *Publisher) public(answer func(ctx context.Context, path string) (*web.Answer, error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if p == nil || p.c.Private {
			return missing(c)
		}
		a, err := answer(c.UserContext(), string(c.Request().URI().PathOriginal()))
		switch {
		case errors.Is(err, store.ErrNotFound):
			return missing(c)
		case err != nil:
			return web.NewProblem("store_unavailable", "Try again later.").Because(err).Answer(web.EventOf(c)).Send(c)
		}
		return a.Send(c)
	}
}

func missing(c *fiber.Ctx) error {
	return web.NewProblem("not_found", "There is no such document.").Answer(web.EventOf(c)).Send(c)
}
