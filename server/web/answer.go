package web

import (
	"encoding/json"
	"io"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Answer is what goes back, once its record is durable.
type Answer struct {
	Status int
	Type   string // content type; empty: application/json
	Body   []byte
	// Stream is the body in the place of Body, for what is too large to be held:
	// it is read after the record is durable, as fast as the caller takes it. An
	// error of it breaks the connection, so that a part can't pass for the whole.
	// Only an answer of status 200 to a reading has one.
	Stream  io.Reader
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
	if a.Stream != nil {
		c.Status(a.Status).Context().SetBodyStream(&paced{a.Stream, c.Context().Conn()}, -1)
		return nil
	}
	return c.Status(a.Status).Send(a.Body)
}

// streamStall is how long the receiver of a stream may take for a part of it.
const streamStall = 30 * time.Second

// paced gives a stream as long as it takes, while the receiver takes some of it
// at a time: the server's own limit is for whole answers.
type paced struct {
	io.Reader
	conn net.Conn
}

// Read implements [io.Reader]. It is called once what was read before is sent.
func (p *paced) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if derr := p.conn.SetWriteDeadline(time.Now().Add(streamStall)); derr != nil && err == nil {
		err = derr
	}
	return n, err
}
