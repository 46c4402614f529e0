package alerts

import (
	"context"
	"errors"
	"time"

	"github.com/pointgate/pointgate/store"
)

// state is what the node that follows knows. It is made anew at each start, and
// whenever the lease was another's.
type state struct {
	tenants map[string]*window
	dirty   map[string]bool // tenants with records that are not judged yet
	minute  int64           // the newest
	since   time.Time       // when what was read of the log began

	next   int64 // the index to read next
	judged int64 // records before it were judged by whoever followed then
	kept   int64 // the cursor
	keptAt time.Time

	// seen is the newest evidence that the store has, by alert, so that what is
	// found again at each look costs no write.
	seen      map[alertKey]int64
	restUntil time.Time
}

type alertKey struct{ tenant, rule, key string }

const (
	maxSeen = 100_000
	// What is read again at a start: no more than so many records of the last
	// minutes, and of those that were not judged none older than a day.
	maxAgain = 2_000_000
	maxLate  = 24 * time.Hour
)

// begin finds where to read from: the beginning of the last window and of the
// time before it, or what was not judged if that is older.
func (f *Follower) begin(ctx context.Context) (*state, error) {
	size, err := f.Store.LogSize(ctx)
	if err != nil {
		return nil, err
	}
	cursor, err := f.Store.Cursor(ctx, name)
	if err != nil {
		return nil, err
	}
	now := f.Now()
	begin := now.Add(-(windowMinutes + beforeMinutes) * time.Minute)
	from, err := f.indexAt(ctx, begin, size)
	if err != nil {
		return nil, err
	}
	s := &state{
		tenants: map[string]*window{}, dirty: map[string]bool{}, seen: map[alertKey]int64{},
		since: begin, kept: cursor, judged: cursor,
	}
	if from < size-maxAgain {
		from, s.since = size-maxAgain, time.Time{}
	}
	if 0 < cursor && cursor < from {
		late, err := f.indexAt(ctx, now.Add(-maxLate), size)
		if err != nil {
			return nil, err
		}
		from, s.since = max(cursor, late), time.Time{}
	}
	if from == 0 {
		s.since = time.Time{} // the log begins there
	}
	s.next = from
	return s, nil
}

// indexAt is the index of the first record made at t or later, or size. Records
// lie in the order of their commits, which is that of their times but for the
// time that a request takes.
func (f *Follower) indexAt(ctx context.Context, t time.Time, size int64) (int64, error) {
	low, high := int64(0), size
	for low < high {
		middle, at := low+(high-low)/2, time.Time{}
		err := f.Store.Records(ctx, middle, middle+1, func(r *store.Record) error { at = r.At.Time; return nil })
		switch {
		case err != nil:
			return 0, err
		case at.IsZero():
			return 0, errors.New("a record has no time")
		case at.Before(t):
			low = middle + 1
		default:
			high = middle
		}
	}
	return low, nil
}

// add counts a record for its tenant.
func (s *state) add(tenant string, r *store.Record, at time.Time) {
	w := s.tenants[tenant]
	if w == nil {
		w = newWindow()
		s.tenants[tenant] = w
	}
	w.add(r, at)
	s.next = r.Index + 1
	if r.Index >= s.judged {
		s.dirty[tenant] = true
	}
}

// advance moves on to a later minute and drops what is too old by then.
func (s *state) advance(m int64) {
	if m <= s.minute {
		return
	}
	s.minute = m
	for tenant, w := range s.tenants {
		if !w.forget(m) {
			delete(s.tenants, tenant)
		}
	}
}

// remember notes the newest evidence that the store has.
func (s *state) remember(k alertKey, evidence int64) {
	if len(s.seen) >= maxSeen {
		clear(s.seen) // each costs one write more
	}
	s.seen[k] = evidence
}
