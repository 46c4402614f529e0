package audit

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

// Config is what a [Publisher] is made of. All fields but those marked optional
// are needed.
type Config struct {
	Store  *store.DB
	Log    *slog.Logger
	Now    func() time.Time
	Record func(gate.Event) *store.Record
	Tenant string // the first tenant, whose events those of the log are
	// Issuer is the first tenant's: the first start makes the log's origin of it.
	Issuer string
	// SealKey is the 32 bytes that the keys are sealed with in the database.
	SealKey []byte
	// Holder names this process among those that share the database. One that
	// is alone has the same name each time, and waits for no lease.
	Holder string

	File         string        // optional: the file of the newest checkpoint
	Endpoints    []string      // optional: URLs that take it by PUT or POST
	Witnesses    []string      // optional: "URL VKEY" of C2SP tlog-witness
	WitnessEvery time.Duration // how often a witness is asked at most
	HTTP         *http.Client  // optional: for endpoints and witnesses
	Private      bool          // optional: nothing is served to those who are not known

	// AcceptRollback is the size of the published checkpoint that the operator
	// gives up; 0: none.
	AcceptRollback int64
	// Demo replaces what another log has left in File.
	Demo bool
}

// Publisher signs and publishes the log's checkpoints. It is safe for concurrent
// use. A nil Publisher serves nothing.
type Publisher struct {
	c      Config
	log    Log // what is compared with what was published: the Store
	seal   cipher.AEAD
	places []*place
	unread []string // the places that the check could not ask

	turn   chan struct{} // held by the one who makes or takes over a checkpoint
	keys   map[string]trail.Key
	upkeep time.Time // when the last was
	fault  atomic.Pointer[string]
	leads  atomic.Bool // this node publishes for all
	// compared is the session of the database in which the places were compared.
	compared atomic.Int64
	forked   bool // and it is on record; of the goroutine of Run
	current  atomic.Pointer[Published]
	// cosigned is the newest that a witness has cosigned; nil if there is none.
	cosigned atomic.Pointer[Published]
}

// Published is a checkpoint that was kept, and may be seen by all.
type Published struct {
	trail.Signed
	kept  store.Time // the row that it is, or whose text it has
	lines []byte     // of the witnesses, in Note too
}

// Open checks the database against what was published, makes the log's key if
// there is none, and makes the first checkpoint, which is also put into the
// File. Nothing runs yet. An error that is [ErrRefused] says what the operator
// can do; then nothing was recorded.
func Open(ctx context.Context, c Config) (*Publisher, error) {
	block, err := aes.NewCipher(c.SealKey)
	if err != nil {
		return nil, err
	}
	p := &Publisher{c: c, log: c.Store, turn: make(chan struct{}, 1), keys: map[string]trail.Key{}}
	if p.seal, err = cipher.NewGCM(block); err != nil {
		return nil, err
	}
	if err := p.makePlaces(); err != nil {
		return nil, err
	}
	if c.File != "" {
		if err := tryFile(c.File); err != nil {
			return nil, unwritable(c.File, err)
		}
	}
	if err := p.found(ctx); err != nil {
		return nil, err
	}
	session := c.Store.Session()
	if err := p.check(ctx); err != nil {
		return nil, err
	}
	p.compared.Store(session)
	if err := p.recall(ctx); err != nil {
		return nil, err
	}
	if _, err := p.makeFor(ctx, anySize); err != nil {
		return nil, fmt.Errorf("the first checkpoint: %w", err)
	}
	if err := p.putLocal(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// putLocal puts the first checkpoint where this node itself writes, before
// anything is answered.
func (p *Publisher) putLocal(ctx context.Context) error {
	for _, pl := range p.places {
		if !pl.local {
			continue
		}
		c := p.current.Load()
		err := p.bounded(ctx, pl, c)
		if err != nil {
			return unwritable(pl.name, err)
		}
		pl.took(c, nil)
	}
	return nil
}

func (p *Publisher) makePlaces() error {
	client := p.c.HTTP
	if client == nil {
		client = newClient(0) // each exchange has its end
	}
	if p.c.File != "" {
		p.places = append(p.places, filePlace(p.c.File))
	}
	for _, u := range p.c.Endpoints {
		p.places = append(p.places, endpointPlace(u, client))
	}
	for _, spec := range p.c.Witnesses {
		w, err := p.witnessPlace(spec, client)
		if err != nil {
			return fmt.Errorf("%w: witness: %w", ErrRefused, err)
		}
		p.places = append(p.places, w)
	}
	return nil
}

// found gives the log its origin and its first key, once.
func (p *Publisher) found(ctx context.Context) error {
	keys, err := store.LogKeys(ctx, p.c.Store)
	if err != nil || len(keys) > 0 {
		return err
	}
	published, err := p.complaints(ctx, &ring{}, nil)
	if err != nil {
		return err
	}
	if worst := worstOf(published); worst != nil && (worst.claim.Size != p.c.AcceptRollback || worst.claim.Size == 0) {
		return worst.refusal() // of another log: this one isn't begun
	}
	u, err := url.Parse(p.c.Issuer)
	if err != nil {
		return err
	}
	key, err := trail.NewKey(u.Host + "/audit")
	if err != nil {
		return err
	}
	return p.c.Store.Write(ctx, func(tx *store.Tx) error {
		if keys, err := store.LogKeys(ctx, tx); err != nil || len(keys) > 0 {
			return err // another node was first
		}
		if err := tx.SetMark(ctx, originMark, key.Name()); err != nil {
			return err
		}
		return p.insertKey(ctx, tx, key, gate.LogKeyCreated{})
	})
}
