package edge

import (
	"hash/maphash"
	"math"
	"sync"
	"time"
)

// Rate is a limit: Burst at once, refilled evenly, one every Every.
type Rate struct {
	Name  string
	Every time.Duration
	Burst int
}

// Verdict is the limiter's answer.
type Verdict struct {
	Rate       Rate
	OK         bool
	Remaining  int           // how many more would pass now
	Reset      time.Duration // until the burst is whole again
	RetryAfter time.Duration // until one more would pass; 0 if OK
}

// Limiter counts by the generic cell rate algorithm (GCRA): one instant for
// each key, the theoretical arrival time of its next request. A check and its
// charge are one step under the shard's lock. Memory is bounded: a full shard
// first forgets keys that are at rest, then counts strangers together.
// The zero Limiter is not ready; use [NewLimiter]. It is safe for concurrent use.
type Limiter struct {
	now    func() time.Time
	seed   maphash.Seed
	shards [64]shard
}

type shard struct {
	mu    sync.Mutex
	tat   map[string]time.Time
	swept time.Time
}

const maxKeysPerShard = 4096

// NewLimiter makes a limiter on a clock.
func NewLimiter(now func() time.Time) *Limiter {
	l := &Limiter{now: now, seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].tat = map[string]time.Time{}
	}
	return l
}

// Allow charges one request to the key and says whether it may pass. A refused
// request is not charged.
func (l *Limiter) Allow(key string, r Rate) Verdict { return l.check(key, r, true) }

// Peek is Allow without the charge.
func (l *Limiter) Peek(key string, r Rate) Verdict { return l.check(key, r, false) }

// Refund takes back one charge.
func (l *Limiter) Refund(key string, r Rate) {
	key, s := l.find(key, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if tat, known := s.tat[key]; known {
		s.tat[key] = tat.Add(-r.Every)
	}
}

func (l *Limiter) find(key string, r Rate) (string, *shard) {
	key = r.Name + "\x00" + key
	return key, &l.shards[maphash.String(l.seed, key)%uint64(len(l.shards))]
}

func (l *Limiter) check(key string, r Rate, charge bool) Verdict {
	key, s := l.find(key, r)
	now := l.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	tat, known := s.tat[key]
	if !known && len(s.tat) >= maxKeysPerShard && !s.forget(now) {
		key = "" // strangers share one count while the shard is full
		tat = s.tat[key]
	}
	if tat.Before(now) {
		tat = now
	}
	window := r.Every * time.Duration(r.Burst)
	next := tat.Add(r.Every)
	if wait := next.Sub(now) - window; wait > 0 {
		return Verdict{Rate: r, Reset: tat.Sub(now), RetryAfter: wait}
	}
	if charge {
		s.tat[key], tat = next, next
	}
	return Verdict{Rate: r, OK: true, Remaining: int((window - tat.Sub(now)) / r.Every), Reset: tat.Sub(now)}
}

// forget drops the keys that are at rest and reports whether there is room now.
// It looks through them at most once a second: a flood of new keys must not
// make each of them expensive.
func (s *shard) forget(now time.Time) bool {
	if now.Sub(s.swept) < time.Second {
		return false
	}
	s.swept = now
	for k, tat := range s.tat {
		if tat.Before(now) {
			delete(s.tat, k)
		}
	}
	return len(s.tat) < maxKeysPerShard
}

// seconds rounds up, as Retry-After and RateLimit want whole seconds.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
