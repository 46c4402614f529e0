package oauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
)

// Logouts tells clients of sessions that ended (OpenID Connect Back-Channel
// Logout §2.5): at least once each, for a day. All fields but Count are set before
// use.
type Logouts struct {
	Store    *store.DB
	Provider *oauth2.Provider
	Events   *gate.Events
	Log      *slog.Logger
	Holder   string // name of this process, for the lease: of several nodes, one tells
	// Call posts a form to an address that a client chose, and gives the status of
	// the answer. It guards this server's own network, and is bounded in time.
	Call func(ctx context.Context, uri string, form []byte) (status int, err error)
	// Count is told how each attempt ended: delivered, failed (it is tried again)
	// or given_up. Optional, for metrics.
	Count func(result string)
}

const (
	logoutLease     = "logouts"
	logoutLeaseTime = 2 * time.Minute // more than a pass
	logoutLook      = 2 * time.Second
	logoutsAtOnce   = 8  // at a time: a slow client holds up few others
	logoutsOfPass   = 40 // 25 seconds, if none of them answers

	logoutPause  = 10 * time.Second // after the first attempt; it doubles
	logoutLonger = time.Hour
	logoutGiveUp = 24 * time.Hour
)

// Run tells until ctx ends.
func (l *Logouts) Run(ctx context.Context) {
	look := time.NewTicker(logoutLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		if err := l.Pass(ctx); err != nil && ctx.Err() == nil {
			l.Log.Error("clients wait to be told of logouts", "error", err)
		}
	}
}

// Pass tries what is due now. Its error is the store's.
func (l *Logouts) Pass(ctx context.Context) error {
	due, err := l.Store.DueLogouts(ctx, logoutsOfPass)
	if err != nil || len(due) == 0 {
		return err
	}
	if held, err := l.Store.Lease(ctx, logoutLease, l.Holder, logoutLeaseTime); err != nil || !held {
		return err
	}
	turns, faults := make(chan struct{}, logoutsAtOnce), make([]error, len(due))
	var all sync.WaitGroup
	for i := range due {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			faults[i] = l.attempt(ctx, &due[i])
		})
	}
	all.Wait()
	return errors.Join(faults...)
}

// attempt tells one client. What is noted before bounds how often it is told
// where nothing can be noted afterwards.
func (l *Logouts) attempt(ctx context.Context, row *store.Logout) error {
	err := l.Store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.HoldsLease(ctx, logoutLease, l.Holder); err != nil {
			return err
		}
		return tx.TryLogout(ctx, row, store.At(tx.Now().Add(pause(row.Tries))))
	})
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
		return nil // another node has it
	}
	if err != nil {
		return err
	}
	token, err := l.Provider.LogoutToken(ctx, row)
	if errors.Is(err, store.ErrNotFound) {
		return l.end(ctx, row, "", nil) // there is nobody to tell any more
	}
	if err == nil {
		err = l.tell(ctx, row.URI, token)
	}
	ctx = context.WithoutCancel(ctx) // the note is made even where ctx has ended meanwhile
	switch {
	case err == nil:
		return l.end(ctx, row, "delivered", nil)
	case l.Store.Now().Sub(row.CreatedAt.Time) >= logoutGiveUp:
		l.Log.Error("a client was not told of a logout", "tenant", row.Tenant, "client", row.ClientID, "tries", row.Tries+1, "error", err)
		return l.end(ctx, row, "given_up", gate.LogoutUndelivered{Tries: row.Tries + 1})
	}
	l.Log.Warn("a client was not told of a logout; it is tried again",
		"tenant", row.Tenant, "client", row.ClientID, "tries", row.Tries+1, "after", pause(row.Tries), "error", err)
	l.count("failed")
	return nil
}

func (l *Logouts) tell(ctx context.Context, uri, token string) error {
	status, err := l.Call(ctx, uri, []byte(url.Values{"logout_token": {token}}.Encode()))
	if err == nil && status != fiber.StatusOK && status != fiber.StatusNoContent {
		err = fmt.Errorf("it answered %d", status)
	}
	return err
}

// end removes the note, with the record of a failure if there is one.
func (l *Logouts) end(ctx context.Context, row *store.Logout, result string, what gate.What) error {
	err := l.Store.Write(ctx, func(tx *store.Tx) error {
		if what != nil {
			ev := gate.System(row.Tenant, what, gate.Party{Type: "session", ID: row.SessionID})
			ev.Client, ev.Related = row.ClientID, row.Subject
			tx.Record(l.Events.Record(ev))
		}
		return tx.DeleteLogout(ctx, row.ID)
	})
	if err == nil {
		l.count(result)
	}
	return err
}

func (l *Logouts) count(result string) {
	if l.Count != nil && result != "" {
		l.Count(result)
	}
}

// pause doubles with each attempt that failed before.
func pause(tries int) time.Duration {
	if tries > 9 {
		return logoutLonger
	}
	return min(logoutPause<<tries, logoutLonger)
}
