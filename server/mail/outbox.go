package mail

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pointgate/pointgate/store"
)

// Transport takes one mail to where it goes. An error means that it may not
// have arrived. It ends when ctx does.
type Transport interface {
	Send(ctx context.Context, m *store.Mail) error
}

// Outbox sends what is due. All fields but Count and Timeout are set before use.
type Outbox struct {
	Store     *store.DB
	Transport Transport
	Log       *slog.Logger
	Holder    string // name of this process, for the lease: of several nodes, one sends
	// Count is told how each attempt ended: sent, failed (it is tried again) or
	// given_up. Optional, for metrics.
	Count func(result string)
	// Timeout of one attempt; 0 means 30 seconds.
	Timeout time.Duration
}

const (
	leaseName  = "mail"
	leaseTime  = 2 * time.Minute // more than twice an attempt
	lookEvery  = 2 * time.Second
	cleanEvery = time.Hour
	atOnce     = 20 // mails of one pass
	cleanStep  = 500

	firstPause  = 30 * time.Second
	longest     = time.Hour
	maxAttempts = 30 // about a day
	maxReason   = 500
)

// Run sends until ctx ends. An attempt that ctx interrupts counts as failed.
func (o *Outbox) Run(ctx context.Context) {
	look, clean := time.NewTicker(lookEvery), time.NewTicker(cleanEvery)
	defer look.Stop()
	defer clean.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			err = o.Pass(ctx)
		case <-clean.C:
			err = o.clean(ctx)
		}
		if err != nil && ctx.Err() == nil {
			o.Log.Error("mails wait", "error", err)
		}
	}
}

// Pass tries what is due now, one after the other. Its error is the store's:
// what a transport says is kept with the mail, and logged.
func (o *Outbox) Pass(ctx context.Context) error {
	due, err := o.Store.DueMails(ctx, atOnce)
	if err != nil {
		return err
	}
	for i := range due {
		held, err := o.Store.Lease(ctx, leaseName, o.Holder, leaseTime)
		if err != nil || !held {
			return err
		}
		if err := o.attempt(ctx, &due[i]); err != nil {
			return err
		}
	}
	return nil
}

// attempt sends one mail. What is noted before it is sent bounds how often it can
// be sent where nothing can be noted afterwards.
func (o *Outbox) attempt(ctx context.Context, m *store.Mail) error {
	next := store.At(o.Store.Now().Add(pause(m.Attempts)))
	err := o.Store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.HoldsLease(ctx, leaseName, o.Holder); err != nil {
			return err
		}
		return tx.TryMail(ctx, m.ID, next)
	})
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
		return nil // another node has it
	}
	if err != nil {
		return err
	}
	timeout := o.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// The note is made even where ctx has ended meanwhile.
	return o.note(context.WithoutCancel(ctx), m, o.Transport.Send(bounded, m))
}

// note keeps how an attempt ended.
func (o *Outbox) note(ctx context.Context, m *store.Mail, failure error) error {
	result, end := "sent", func(tx *store.Tx) error { return tx.MailSent(ctx, m.ID) }
	if failure != nil {
		why := line(failure.Error(), maxReason)
		log := o.Log.With("mail", m.ID, "kind", m.Kind, "tenant", m.Tenant, "attempt", m.Attempts+1, "error", why)
		if m.Attempts+1 < maxAttempts {
			result, end = "failed", func(tx *store.Tx) error { return tx.MailFailed(ctx, m.ID, why) }
			log.Warn("a mail was not sent; it is tried again", "after", pause(m.Attempts))
		} else {
			result, end = "given_up", func(tx *store.Tx) error { return tx.GiveUpMail(ctx, m.ID, why) }
			log.Error("a mail was given up")
		}
	}
	if o.Count != nil {
		o.Count(result)
	}
	return o.Store.Write(ctx, end)
}

// pause doubles with each attempt that failed before.
func pause(attempts int) time.Duration {
	if attempts > 7 {
		return longest
	}
	return min(firstPause<<attempts, longest)
}

// clean removes what ended long ago, in steps that nobody notices.
func (o *Outbox) clean(ctx context.Context) error {
	for n := int64(cleanStep); n == cleanStep && ctx.Err() == nil; {
		err := o.Store.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.DeleteMails(ctx, cleanStep)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
