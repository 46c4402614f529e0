package oauth2

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/pointgate/pointgate/store"
)

// Fetcher gets what stands at an address that a client registered. It must reach
// nothing but what strangers may make this server reach, and bound what it takes
// in, in bytes and in time. It is called by several goroutines at once.
type Fetcher interface {
	Get(ctx context.Context, url string) ([]byte, error)
}

// How long the keys of a client are kept, and how often they are asked for. A
// junk assertion of a kid that nobody knows can't make this server ask more
// often.
const (
	keysKept     = time.Hour
	keysEvery    = time.Minute
	keysAtMost   = 1000 // clients
	fetchTimeout = 10 * time.Second
)

var (
	errNoFetcher = errors.New("oauth2: no keys are fetched here")
	errKeysWait  = errors.New("oauth2: the keys of the client were asked for a moment ago")
	errKeysFull  = errors.New("oauth2: the keys of too many clients are asked for")
)

// keyCache holds the keys of clients that registered a jwks_uri. It asks only
// when it is asked itself, one request at a time for each client. It is safe
// for concurrent use.
type keyCache struct {
	fetcher Fetcher // nil: nothing is fetched
	now     func() time.Time
	mu      sync.Mutex
	sets    map[string]*remoteKeys
}

// remoteKeys are those of one client at one address.
type remoteKeys struct {
	turn  chan struct{} // holds one token: who has it may fetch, and write what follows
	mu    sync.Mutex    // of the reading of what follows
	keys  []publicKey
	at    time.Time // of the keys
	asked time.Time // the last time, with or without success
}

func newKeyCache(f Fetcher, now func() time.Time) *keyCache {
	return &keyCache{fetcher: f, now: now, sets: map[string]*remoteKeys{}}
}

// keysOf are the public keys of the client. Where it publishes them, they are
// asked for again if none that is kept suits.
func (p *Provider) keysOf(ctx context.Context, c *client, suits func(*publicKey) bool) ([]publicKey, error) {
	if c.JWKSURI == "" {
		return registrableKeys([]byte(c.JWKS))
	}
	return p.remote.keys(ctx, c.Client, suits)
}

// keys are those at the client's address: the ones that are kept, if one of them
// suits, or else what stands there now.
func (k *keyCache) keys(ctx context.Context, c *store.Client, suits func(*publicKey) bool) ([]publicKey, error) {
	set, err := k.set(string(bind([]string{c.Tenant, c.ID, c.JWKSURI})))
	if err != nil {
		return nil, err
	}
	if keys := set.kept(k.now()); slices.ContainsFunc(keys, func(one publicKey) bool { return suits(&one) }) {
		return keys, nil
	}
	select {
	case <-set.turn:
		defer func() { set.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if k.now().Sub(set.askedAt()) < keysEvery { // perhaps by whom we waited for
		if keys := set.kept(k.now()); keys != nil {
			return keys, nil
		}
		return nil, errKeysWait
	}
	return k.fetch(ctx, set, c.JWKSURI)
}

// fetch asks the address. Who waits for the answer must not be let down because
// the first who asked has gone.
func (k *keyCache) fetch(ctx context.Context, set *remoteKeys, uri string) ([]publicKey, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	raw, err := k.fetcher.Get(ctx, uri)
	var keys []publicKey
	if err == nil {
		keys, err = publishedKeys(raw)
	}
	set.mu.Lock()
	defer set.mu.Unlock()
	set.asked = k.now()
	if err == nil {
		set.keys, set.at = keys, set.asked
	}
	return keys, err
}

// set is that of a client and address. Where there are too many, those that may
// be asked for again anyway make room.
func (k *keyCache) set(name string) (*remoteKeys, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fetcher == nil {
		return nil, errNoFetcher
	}
	if s := k.sets[name]; s != nil {
		return s, nil
	}
	if len(k.sets) >= keysAtMost {
		k.makeRoom()
	}
	if len(k.sets) >= keysAtMost {
		return nil, errKeysFull
	}
	s := &remoteKeys{turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	k.sets[name] = s
	return s, nil
}

// makeRoom never drops one that was asked for in the last minute: whoever has
// many clients must not make this server ask more often.
func (k *keyCache) makeRoom() {
	now := k.now()
	for name, s := range k.sets {
		asked := s.askedAt()
		if !asked.IsZero() && now.Sub(asked) >= keysEvery {
			delete(k.sets, name)
			return
		}
	}
}

// kept are the keys that are not too old; nil if there are none.
func (s *remoteKeys) kept(now time.Time) []publicKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.at) >= keysKept {
		return nil
	}
	return s.keys
}

func (s *remoteKeys) askedAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}
