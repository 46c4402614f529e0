package audit

import (
	"context"
	"sync"
	"time"

	"github.com/pointgate/pointgate/store/trail"
)

// place is somewhere outside where checkpoints are put.
type place struct {
	kind, name string
	// local says that it is this node's own: it has it whoever leads.
	local bool
	// every is the least time between two that are put there; 0: none.
	every time.Duration
	put   func(ctx context.Context, c *Published) error
	// read gets back what is there, nothing if there is nothing or it can't be
	// asked; nil where that is not possible. An error says that the place is
	// there and can't be read.
	read func(ctx context.Context) ([]byte, error)
	// anything says that what is read may be something else than a checkpoint.
	anything bool

	wake  chan struct{} // one waits there at most
	mu    sync.Mutex
	state PlaceState
}

// PlaceState says how far a place has come.
type PlaceState struct {
	Kind  string    // file, endpoint or witness
	Name  string    // without secrets
	Taken time.Time // of the newest checkpoint that it took; zero: none since the start
	Size  int64     // of that
	Fault string    // why it did not take the last that it was offered; "" if it did
}

const (
	putTimeout = 10 * time.Second
	firstWait  = time.Second
	longWait   = time.Minute
)

// rouse tells the place that there is something new.
func (pl *place) rouse() {
	select {
	case pl.wake <- struct{}{}:
	default: // it knows
	}
}

// took notes what became of a checkpoint, and whether that is new.
func (pl *place) took(c *Published, err error) (changed bool) {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	was := pl.state.Fault
	if err != nil {
		pl.state.Fault = err.Error()
		return was == ""
	}
	pl.state.Fault, pl.state.Taken, pl.state.Size = "", c.At, c.Size
	return was != ""
}

// deliver brings the newest checkpoint to one place, until ctx ends. A place
// that is down is asked again later and later; it always gets the newest then,
// for which it needs none of those between.
func (p *Publisher) deliver(ctx context.Context, pl *place) {
	wait := firstWait
	for {
		select {
		case <-ctx.Done():
			return
		case <-pl.wake:
		}
		if !pl.local && !p.leads.Load() {
			continue
		}
		c := p.current.Load()
		err := p.bounded(ctx, pl, c)
		if ctx.Err() != nil {
			return
		}
		changed, next := pl.took(c, err), pl.every
		switch {
		case err == nil && changed:
			p.c.Log.Info("checkpoints are taken again", "place", pl.kind, "name", pl.name)
		case changed:
			p.c.Log.Error("a checkpoint was not taken; it is tried again", "place", pl.kind, "name", pl.name, "error", err)
		}
		if err == nil {
			wait = firstWait
		} else {
			next = max(wait, pl.every)
			wait = min(2*wait, longWait)
			pl.rouse()
		}
		if pause(ctx, nil, next) != nil {
			return
		}
	}
}

func (p *Publisher) bounded(ctx context.Context, pl *place, c *Published) error {
	ctx, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()
	return pl.put(ctx, c)
}

// Places are the outside places, with what each has, for metrics.
func (p *Publisher) Places() []PlaceState {
	if p == nil {
		return nil
	}
	out := make([]PlaceState, len(p.places))
	for i, pl := range p.places {
		pl.mu.Lock()
		out[i] = pl.state
		pl.mu.Unlock()
		out[i].Kind, out[i].Name = pl.kind, pl.name
	}
	return out
}

// Newest is the checkpoint that is served now; for metrics, its size and time.
// nil if there is none.
func (p *Publisher) Newest() *trail.Signed {
	if p == nil {
		return nil
	}
	c := p.current.Load()
	if c == nil {
		return nil
	}
	return &c.Signed
}
