package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func mail(id string) *store.Mail {
	return &store.Mail{ID: id, Tenant: "demo", Kind: "alert", Recipient: "a@demo.example", Subject: "S", Body: "B\nB"}
}

func due(t *testing.T, db *store.DB) (ids []string) {
	t.Helper()
	mails, err := db.DueMails(context.Background(), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mails {
		ids = append(ids, m.ID)
	}
	return ids
}

func TestMails(t *testing.T) {
	ctx := context.Background()
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		begin := time.Now().Truncate(time.Microsecond)
		now := begin
		o.Now = func() time.Time { return now }
		db := storetest.Open(t, o)
		write := func(fn func(tx *store.Tx) error) { t.Helper(); storetest.Write(t, db, fn) }
		for _, id := range []string{"a", "b", "c"} {
			write(func(tx *store.Tx) error { return tx.InsertMail(ctx, mail(id)) })
			now = now.Add(time.Second)
		}
		if diff := cmp.Diff([]string{"a", "b", "c"}, due(t, db)); diff != "" {
			t.Fatal(diff)
		}
		write(func(tx *store.Tx) error { return tx.MailSent(ctx, "a") })
		write(func(tx *store.Tx) error { return tx.TryMail(ctx, "b", store.At(now.Add(time.Minute))) })
		write(func(tx *store.Tx) error { return tx.MailFailed(ctx, "b", "busy") })
		if diff := cmp.Diff([]string{"c"}, due(t, db)); diff != "" {
			t.Errorf("a is sent, b waits: %s", diff)
		}
		write(func(tx *store.Tx) error { return tx.GiveUpMail(ctx, "c", "no such person") })
		now = now.Add(time.Minute)
		mails, err := db.DueMails(ctx, 10)
		want := mail("b")
		want.CreatedAt, want.NextAt, want.Attempts, want.Error = store.At(begin.Add(time.Second)), store.At(now), 1, "busy"
		if diff := cmp.Diff([]store.Mail{*want}, mails); err != nil || diff != "" {
			t.Error(err, diff)
		}
		for _, id := range []string{"a", "c"} {
			for name, end := range map[string]func(tx *store.Tx) error{
				"sent":     func(tx *store.Tx) error { return tx.MailSent(ctx, id) },
				"tried":    func(tx *store.Tx) error { return tx.TryMail(ctx, id, store.At(now)) },
				"failed":   func(tx *store.Tx) error { return tx.MailFailed(ctx, id, "x") },
				"given up": func(tx *store.Tx) error { return tx.GiveUpMail(ctx, id, "x") },
			} {
				if err := db.Write(ctx, end); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("%s has ended, and is %s: %v, want ErrNotFound", id, name, err)
				}
			}
		}
		for kind, want := range map[string]int64{"alert": 2, "code": 0} {
			if n, err := store.MailsSince(ctx, db, "demo", kind, store.At(begin.Add(time.Second))); err != nil || n != want {
				t.Errorf("%d of kind %s since the second, %v, want %d", n, kind, err, want)
			}
		}
		removed := func() (n int64) {
			write(func(tx *store.Tx) (err error) { n, err = tx.DeleteMails(ctx, 10); return err })
			return n
		}
		if n := removed(); n != 0 {
			t.Errorf("%d were removed at once", n)
		}
		now = now.Add(8 * 24 * time.Hour)
		if n := removed(); n != 2 {
			t.Errorf("%d were removed, want the two that have ended", n)
		}
		if diff := cmp.Diff([]string{"b"}, due(t, db)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheOutboxIsBounded(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Write(t, db, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO mails (id, tenant, kind, recipient, subject, body, created_at, attempts, next_at, sent, error)
				WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
				SELECT 'm' || i, 'demo', 'alert', 'a@demo.example', '', '', 0, 0, 0, ?, '' FROM n`, false)
			return err
		})
		for i, want := range []error{nil, store.ErrUnavailable} {
			err := db.Write(ctx, func(tx *store.Tx) error { return tx.InsertMail(ctx, mail(fmt.Sprint(i))) })
			if !errors.Is(err, want) {
				t.Errorf("number %d: %v, want %v", 10_000+i, err, want)
			}
		}
	})
}
