package tests

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pointgate/pointgate/tests/harness"
)

// answer compares the last answer, and the answer with its record: no gated
// answer leaves without one that says the same.
func answer(_ *testscript.TestScript, w *world, args []string) error {
	if len(args) == 0 || w.last == nil {
		return errors.New("want STATUS [CODE], after a request")
	}
	if err := same("status", strconv.Itoa(w.last.Status), args[0]); err != nil {
		return fmt.Errorf("%w: %s", err, w.last)
	}
	if got := w.last.Code(); len(args) == 2 && got != args[1] {
		return fmt.Errorf("want code %s, got %s", args[1], w.last)
	}
	if w.last.Header.Get("X-Request-Id") == "" {
		return fmt.Errorf("no X-Request-Id: %v", w.last.Header)
	}
	if w.last.Header.Get("X-Decision-Id") == "" {
		return nil
	}
	return w.recordSays(w.last)
}

// recordOf is the record of the last answer. That of the tenant other is read by
// an administrator of its own.
func (w *world) recordOf(a *harness.Answer) (_ *harness.Record, err error) {
	id := a.Header.Get("X-Decision-Id")
	if !w.elsewhere {
		return w.server.Decision(id)
	}
	if w.auditor == "" {
		if w.auditor, err = w.server.NewToken(harness.People["other-admin"], "audit:read"); err != nil {
			return nil, err
		}
	}
	return w.server.DecisionAt(true, w.auditor, id)
}

func (w *world) recordSays(a *harness.Answer) error {
	r, err := w.recordOf(a)
	if err != nil {
		return err
	}
	problem := strings.HasPrefix(a.Header.Get("Content-Type"), "application/problem+json") // a page may refuse what was allowed, for its form
	denied := a.Status == 401 || a.Status == 403
	switch {
	case r.Custom.Status != a.Status:
		return fmt.Errorf("the answer is %s, its record says %d", a, r.Custom.Status)
	case r.Result.Allow == denied && (problem || !denied):
		return fmt.Errorf("the answer is %s, its record says allow=%t", a, r.Result.Allow)
	case denied && problem && r.Result.Code != a.Code():
		return fmt.Errorf("the answer is %s, its record says %s", a, r.Result.Code)
	case r.Input.Context.Request.ID != a.Header.Get("X-Request-Id"):
		return fmt.Errorf("the record is of request %q, not %q", r.Input.Context.Request.ID, a.Header.Get("X-Request-Id"))
	}
	return nil
}

func record(_ *testscript.TestScript, w *world, args []string) error {
	id := w.last.Header.Get("X-Decision-Id")
	r, err := w.recordOf(w.last)
	if err != nil {
		return err
	}
	has := map[string]string{
		"allow": strconv.FormatBool(r.Result.Allow), "code": r.Result.Code, "status": strconv.Itoa(r.Custom.Status),
		"action": r.Input.Action.Name, "type": r.Input.Subject.Type, "subject": r.Input.Subject.ID,
		"client": r.Input.Context.Client.ID, "resource": r.Input.Resource.ID,
	}
	for _, kv := range args {
		k, want, _ := strings.Cut(kv, "=")
		got, known := has[k]
		if !known {
			return fmt.Errorf("a record has no %q", k)
		}
		if err := same(k+" of record "+id, got, want); err != nil {
			return err
		}
	}
	return nil
}

func records(_ *testscript.TestScript, w *world, args []string) error {
	if len(args) < 2 {
		return errors.New("want COUNT K=V …")
	}
	filters := filtersOf(args[1:])
	got, err := w.server.Decisions(filters)
	if err != nil {
		return err
	}
	return same("records with "+filters.Encode(), strconv.Itoa(len(got)), args[0])
}

// logged waits for records that are written behind the answers.
func logged(_ *testscript.TestScript, w *world, args []string) error {
	filters := filtersOf(args)
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-again.C {
		if got, err := w.server.Decisions(filters); err != nil || len(got) > 0 {
			return err
		}
	}
	return fmt.Errorf("no record with %s in time", filters.Encode())
}

func filtersOf(args []string) url.Values {
	filters := url.Values{}
	for _, kv := range args {
		k, v, _ := strings.Cut(kv, "=")
		filters.Set(k, v)
	}
	return filters
}
