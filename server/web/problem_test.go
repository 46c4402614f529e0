package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestProblems(t *testing.T) {
	for name, tc := range map[string]struct {
		problem *Problem
		status  int
		code    string
		title   string
	}{
		"a code of the table":                    {NewProblem("rate_limited", "x"), 429, "rate_limited", "Too many requests"},
		"an unknown code is our mistake":         {NewProblem("no_such_code", "x"), 500, "internal", "Something went wrong"},
		"a denial of the table keeps its status": {NewDenial("missing_scope", 451, "x"), 403, "missing_scope", "A scope is missing"},
		"a policy's own code and status":         {NewDenial("after_hours", 451, "x"), 451, "after_hours", "Not allowed"},
		"a policy's own code with 401":           {NewDenial("mfa_needed", 401, "x"), 401, "mfa_needed", "Not allowed"},
		"a denial can't be a success":            {NewDenial("after_hours", 200, "x"), 403, "after_hours", "Not allowed"},
		"a denial can't be our mistake":          {NewDenial("after_hours", 500, "x"), 403, "after_hours", "Not allowed"},
		"a denial can't be a bad request":        {NewDenial("after_hours", 400, "x"), 403, "after_hours", "Not allowed"},
		"a denial without a status":              {NewDenial("after_hours", 0, "x"), 403, "after_hours", "Not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			p := tc.problem
			if p.Status != tc.status || p.Code != tc.code || p.Title != tc.title || p.Type != "about:blank" {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestEveryCodeHasAStatusAndATitle(t *testing.T) {
	for code, is := range titles {
		if is.status < 400 || is.status > 503 || is.title == "" || code != strings.ToLower(code) {
			t.Errorf("%s: %+v", code, is)
		}
	}
}

func TestTheCauseIsForTheOperatorAlone(t *testing.T) {
	cause := errors.New("dial tcp 10.0.0.7: secret stuff")
	e := NewEvent("client-id-1234", time.Now())
	e.DecisionID = "dec_1"
	p := NewProblem("store_unavailable", "").Because(cause)
	a := p.Answer(e)
	if strings.Contains(string(a.Body), "10.0.0.7") {
		t.Errorf("the cause is in the answer: %s", a.Body)
	}
	if !errors.Is(p, cause) || !errors.Is(e.Err, cause) {
		t.Error("the operator does not learn the cause")
	}
	var got map[string]any
	if err := json.Unmarshal(a.Body, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"type": "about:blank", "title": "The store is not available", "status": 503.0, "code": "store_unavailable",
		"request_id": "client-id-1234", "decision_id": "dec_1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if a.Type != "application/problem+json" || a.Header["Retry-After"] != "1" || a.Status != 503 {
		t.Errorf("%d %q %v", a.Status, a.Type, a.Header)
	}
}

func TestAnAnswerThatCantBeWrittenIsOurMistake(t *testing.T) {
	if a := JSON(200, func() {}); a.Status != 500 || a.Code != "internal" {
		t.Errorf("got %d %s", a.Status, a.Code)
	}
}

func TestAProblemIsNotChangedByItsAnswer(t *testing.T) {
	p := BadRequest("x")
	p.Answer(NewEvent("client-id-1234", time.Now()))
	if p.RequestID != "" {
		t.Error("a shared problem would carry another request's id")
	}
}

func TestRequestIDs(t *testing.T) {
	for name, tc := range map[string]struct {
		incoming string
		kept     bool
	}{
		"the agreed form":         {"Checkout-7.a_b", true},
		"as short as may be":      {"12345678", true},
		"as long as may be":       {strings.Repeat("a", 64), true},
		"none":                    {"", false},
		"too short":               {"1234567", false},
		"too long":                {strings.Repeat("a", 65), false},
		"a line break":            {"12345678\n", false},
		"a forged log line":       {"12345678 level=ERROR", false},
		"quotes":                  {`12345678"`, false},
		"letters beyond a–z":      {"ääääääää", false},
		"a NUL":                   {"1234\x005678", false},
		"bytes that are no UTF-8": {"1234567\xff", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := NewEvent(tc.incoming, time.Now()).RequestID
			if kept := got == tc.incoming; kept != tc.kept {
				t.Errorf("got %q", got)
			}
			if !requestIDPattern.MatchString(got) {
				t.Errorf("%q is not of the agreed form", got)
			}
		})
	}
	if a, b := NewEvent("", time.Now()).RequestID, NewEvent("", time.Now()).RequestID; a == b {
		t.Errorf("%q twice", a)
	}
}

func TestTheAccessLine(t *testing.T) {
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	e := NewEvent("client-id-1234", start)
	e.Method, e.Path, e.IP, e.Status, e.Code = "GET", "/api/points", "192.0.2.7", 503, "store_unavailable"
	e.Fail(errors.New("the first"))
	e.Fail(errors.New("the second"))
	var out bytes.Buffer
	e.Log(slog.New(slog.NewJSONHandler(&out, nil)), start.Add(1500*time.Microsecond))
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "time")
	want := map[string]any{
		"level": "ERROR", "msg": "request", "request_id": "client-id-1234", "method": "GET", "path": "/api/points",
		"status": 503.0, "ms": 1.5, "ip": "192.0.2.7", "code": "store_unavailable", "error": "the first",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
