package web

import (
	"encoding/json"

	"github.com/gofiber/fiber/v2"
)

// Answer is what goes back. Body is complete: nothing is streamed, because
// nothing may leave before its record is durable.
type Answer struct {
	Status  int
	Type    string // content type; empty: application/json
	Body    []byte
	Header  map[string]string // besides those that the pipeline sets
	Cookies []*fiber.Cookie
	Code    string // of the problem; "ok" otherwise
}

// JSON makes an answer of v, which must be encodable.
func JSON(status int, v any) *Answer {
	body, err := json.Marshal(v)
	if err != nil {
		return NewProblem("internal", "").Because(err).Answer(nil)
	}
	return &Answer{Status: status, Body: body, Code: "ok"}
}

// ProblemType is the content type of problems (RFC 9457).
const ProblemType = "application/problem+json"

// CodeOf is the code in a problem's body.
func CodeOf(problem []byte) string {
	var p Problem
	if json.Unmarshal(problem, &p) != nil || p.Code == "" {
		return "internal"
	}
	return p.Code
}

// List is the shape of all lists.
type List[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// Answer makes the problem an answer, with the ids of the event (nil: none).
func (p *Problem) Answer(e *Event) *Answer {
	q := *p
	if e != nil {
		q.RequestID, q.DecisionID = e.RequestID, e.DecisionID
		if p.cause != nil {
			e.Fail(p.cause)
		}
	}
	body, _ := json.Marshal(&q) // strings and numbers only: can't fail
	a := &Answer{Status: p.Status, Type: ProblemType, Body: body, Code: p.Code}
	if p.Status == fiber.StatusServiceUnavailable {
		a.Header = map[string]string{fiber.HeaderRetryAfter: "1"}
	}
	return a
}

// Send writes the answer to Fiber.
func (a *Answer) Send(c *fiber.Ctx) error {
	for k, v := range a.Header {
		c.Set(k, v)
	}
	for _, k := range a.Cookies {
		c.Cookie(k)
	}
	if a.Status != fiber.StatusNoContent {
		t := a.Type
		if t == "" {
			t = fiber.MIMEApplicationJSON
		}
		c.Set(fiber.HeaderContentType, t)
	}
	e := EventOf(c)
	e.Status = a.Status
	if a.Code != "ok" {
		e.Code = a.Code
	}
	return c.Status(a.Status).Send(a.Body)
}
