package mail_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/server/mail"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// world is an outbox over a store whose clock is ours.
type world struct {
	*mail.Outbox
	t       *testing.T
	now     time.Time
	results []string
}

func newWorld(t *testing.T, o store.Options, by mail.Transport) *world {
	w := &world{t: t, now: time.Now().Truncate(time.Microsecond)}
	o.Now = func() time.Time { return w.now }
	w.Outbox = &mail.Outbox{
		Store: storetest.Open(t, o), Transport: by, Log: quiet, Holder: "one",
		Count: func(result string) { w.results = append(w.results, result) },
	}
	return w
}

func (w *world) put(ids ...string) {
	w.t.Helper()
	storetest.Write(w.t, w.Store, func(tx *store.Tx) error {
		for _, id := range ids {
			m := aMail()
			m.ID = id
			if err := tx.InsertMail(w.t.Context(), m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *world) pass() {
	w.t.Helper()
	if err := w.Pass(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) counted(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.results); diff != "" {
		w.t.Errorf("results: %s", diff)
	}
	w.results = nil
}

// A server that refuses once gets the mail again, as the same mail.
func TestAMailArrivesInTheEnd(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		p := newPost(t, true, nil)
		p.refusals = []error{&smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Come again"}}
		w := newWorld(t, o, transport(t, p, "smtps://postman:p%40ss%3Aword@ADDR"))
		w.put("mail_a", "mail_b")
		w.pass()
		w.counted("failed", "sent")
		w.pass() // not due yet
		w.counted()
		w.now = w.now.Add(mail.Pause(0))
		w.pass()
		w.counted("sent")
		w.now = w.now.Add(time.Hour)
		w.pass()
		w.counted()
		var ids []string
		for _, l := range p.letters() {
			header, _, body := read(t, l.text)
			if !l.secure || body != "First.\n\nSecond.\n" {
				t.Errorf("%+v", l)
			}
			ids = append(ids, header.Get("Message-Id"))
		}
		if diff := cmp.Diff([]string{"<mail_b@demo.example>", "<mail_a@demo.example>"}, ids); diff != "" {
			t.Error(diff)
		}
	})
}

// by is a transport that is a function.
type by func(ctx context.Context, m *store.Mail) error

func (f by) Send(ctx context.Context, m *store.Mail) error { return f(ctx, m) }

func TestAMailIsGivenUpAfterADay(t *testing.T) {
	tried := 0
	w := newWorld(t, store.Options{Dir: t.TempDir()}, by(func(context.Context, *store.Mail) error { tried++; return errors.New("no") }))
	w.put("mail_a")
	begin := w.now
	for {
		w.pass()
		if slices.Contains(w.results, "given_up") {
			break
		}
		due, err := w.Store.DueMails(t.Context(), 1)
		if err != nil || len(due) > 0 || tried > mail.MaxAttempts {
			t.Fatalf("after attempt %d: due %v, %v", tried, due, err)
		}
		w.now = w.now.Add(mail.Pause(tried - 1))
	}
	if took := w.now.Sub(begin); tried != mail.MaxAttempts || took < 12*time.Hour || took > 48*time.Hour {
		t.Errorf("%d attempts in %v", tried, took)
	}
	if n, err := store.WaitingMails(t.Context(), w.Store); err != nil || n != 0 {
		t.Errorf("%d wait, %v", n, err)
	}
}

// A transport that hangs is cut off, and the next mail has its turn.
func TestAMailThatHangsHoldsUpNoOther(t *testing.T) {
	w := newWorld(t, store.Options{Dir: t.TempDir()}, by(func(ctx context.Context, m *store.Mail) error {
		if m.ID == "mail_a" {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}))
	w.Timeout = time.Millisecond
	w.put("mail_a", "mail_b")
	w.pass()
	w.counted("failed", "sent")
}

// A mail whose taking can't be noted is not sent again at once.
func TestAMailIsNotedBeforeItIsSent(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var w *world
	w = newWorld(t, store.Options{Dir: t.TempDir()}, by(func(context.Context, *store.Mail) error {
		stop() // and the process ends
		_ = w.Store.Close()
		return nil
	}))
	dir := t.TempDir()
	w.Store = storetest.Open(t, store.Options{Dir: dir, Now: func() time.Time { return w.now }})
	w.put("mail_a")
	if err := w.Pass(ctx); err == nil {
		t.Fatal("the note was made in a store that is closed")
	}
	w.Store = storetest.Open(t, store.Options{Dir: dir, Now: func() time.Time { return w.now }})
	due := func() int {
		mails, err := w.Store.DueMails(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(mails)
	}
	if due() != 0 {
		t.Error("it is due again at once")
	}
	w.now = w.now.Add(mail.Pause(0))
	if due() != 1 {
		t.Error("it is never sent again")
	}
}

func TestOneNodeSends(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		sent := map[string]int{}
		count := func(name string) by {
			return func(context.Context, *store.Mail) error { sent[name]++; return nil }
		}
		w := newWorld(t, o, count("one"))
		second := *w.Outbox
		second.Holder, second.Transport = "two", count("two")
		for i := range 5 {
			w.put(fmt.Sprint("mail_", i))
			w.pass()
			if err := second.Pass(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(map[string]int{"one": 5}, sent); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPausesDouble(t *testing.T) {
	for attempts, want := range map[int]time.Duration{0: 30 * time.Second, 1: time.Minute, 3: 4 * time.Minute, 7: time.Hour, 29: time.Hour, 1000: time.Hour} {
		if got := mail.Pause(attempts); got != want {
			t.Errorf("after %d: %v, want %v", attempts, got, want)
		}
	}
}

// What a server says is kept for the operator, in one line.
func TestReasonsAreCleaned(t *testing.T) {
	w := newWorld(t, store.Options{Dir: t.TempDir()}, by(func(context.Context, *store.Mail) error {
		return errors.New("550 no\r\nsuch \x1b[31mperson " + strings.Repeat("x", 5000))
	}))
	w.put("mail_a")
	w.pass()
	w.now = w.now.Add(time.Hour)
	due, err := w.Store.DueMails(t.Context(), 1)
	if err != nil || len(due) != 1 || !strings.HasPrefix(due[0].Error, "550 no such [31mperson xxx") || len([]rune(due[0].Error)) != 500 {
		t.Errorf("%+v, %v", due, err)
	}
}
