package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	"github.com/pointgate/pointgate/server/web"
)

// Events is the outermost step: it mints the request id, so that even a 429
// carries one, guards against panics, gives every error of routing its form,
// and writes the one access line of the request.
type Events struct {
	Log    *slog.Logger
	Now    func() time.Time
	Refuse func(c *fiber.Ctx, p *web.Problem) error
	Done   func(e *web.Event, took time.Duration) // for metrics; may be nil
	// Timeout bounds the context of the request (Fiber's UserContext): what it
	// may wait for in front of its commit.
	Timeout time.Duration
}

// Step opens the event and closes it.
func (s *Events) Step() fiber.Handler {
	return func(c *fiber.Ctx) error {
		e := web.NewEvent(utils.CopyString(c.Get("X-Request-Id")), s.Now())
		e.Method, e.Path = utils.CopyString(c.Method()), web.SafePath(c.Path())
		ctx, cancel := context.WithTimeout(context.Background(), s.Timeout)
		defer cancel()
		c.SetUserContext(ctx)
		web.SetEvent(c, e)
		c.Set("X-Request-Id", e.RequestID)
		if err := s.guarded(c); err != nil {
			_ = s.Refuse(c, problemOf(c, err)) // writing into a buffer does not fail
		}
		e.Status = c.Response().StatusCode()
		now := s.Now()
		e.Log(s.Log, now)
		if s.Done != nil {
			s.Done(e, now.Sub(e.Started))
		}
		return nil
	}
}

func (s *Events) guarded(c *fiber.Ctx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return c.Next()
}

// problemOf maps the errors of Fiber's routing; what else comes here is a fault
// of ours and says nothing to the caller.
func problemOf(c *fiber.Ctx, err error) *web.Problem {
	var p *web.Problem
	var f *fiber.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &f) && f.Code == fiber.StatusNotFound:
		return web.NewProblem("not_found", "There is no such route.")
	case errors.As(err, &f) && f.Code == fiber.StatusMethodNotAllowed:
		return web.NewProblem("method_not_allowed", "See Allow for the methods of this route.")
	}
	return web.NewProblem("internal", "").Because(err)
}
