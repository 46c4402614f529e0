package authn

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestPasswordsWaitForATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Passwords{turns: make(chan struct{}, 1)}
		if err := p.take(t.Context()); err != nil {
			t.Fatalf("the first: %v", err)
		}
		begun := time.Now()
		if err := p.take(t.Context()); !errors.Is(err, ErrBusy) || time.Since(begun) != hashWait {
			t.Errorf("the second: %v after %v, want ErrBusy after %v", err, time.Since(begun), hashWait)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.take(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("one that went away: %v", err)
		}
		p.give()
		if err := p.take(t.Context()); err != nil {
			t.Errorf("after the first: %v", err)
		}
	})
}
