package audit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

// sealKey is the row of a key: AES-256-GCM, bound to the vkey, so that a sealed
// key can't be put under another's name.
func (p *Publisher) sealKey(k trail.Key, now store.Time) *store.LogKey {
	nonce := make([]byte, p.seal.NonceSize())
	_, _ = rand.Read(nonce) // crypto/rand.Read never fails
	return &store.LogKey{
		Verifier: k.Verifier(), CreatedAt: now,
		Sealed: p.seal.Seal(nonce, nonce, k.Seed(), []byte(k.Verifier())),
	}
}

func (p *Publisher) unseal(row *store.LogKey) (trail.Key, error) {
	n := p.seal.NonceSize()
	if len(row.Sealed) < n {
		return trail.Key{}, fmt.Errorf("the log's key %s is destroyed", row.Verifier)
	}
	seed, err := p.seal.Open(nil, row.Sealed[:n], row.Sealed[n:], []byte(row.Verifier))
	if err != nil {
		return trail.Key{}, fmt.Errorf("%w: %s", errSealed, row.Verifier)
	}
	k, err := trail.OpenKey(originOf(row), seed)
	if err == nil && k.Verifier() != row.Verifier {
		err = trail.ErrKey
	}
	return k, err
}

// errSealed says that a key was sealed under another master secret, or changed.
var errSealed = errors.New("the log's key can't be opened with this master secret")

// originOf is the name in a vkey, which is the origin of the log that it is for.
func originOf(row *store.LogKey) string {
	name, _, _ := strings.Cut(row.Verifier, "+")
	return name
}

// ring is the log's keys as they are now.
type ring struct {
	origin   string
	sign     []trail.Key // the newest first
	verifies []string    // all vkeys there ever were
	session  int64       // of the database, when they were read
}

// originMark is the origin of the log as it is called now. No time says that:
// a clock may be set back.
const originMark = "log_origin"

// errOrigin says that the database does not know how its log is called.
var errOrigin = errors.New("the log's origin")

// readRing reads the keys without opening those that sign. Without any key it is
// empty: that of a log to be.
func readRing(ctx context.Context, from store.Reader) (*ring, []store.LogKey, error) {
	origin, merr := store.Mark(ctx, from, originMark) // before the keys, which are then no older
	if merr != nil && !errors.Is(merr, store.ErrNotFound) {
		return nil, nil, merr
	}
	rows, err := store.LogKeys(ctx, from)
	if err != nil || len(rows) == 0 {
		return &ring{}, nil, err
	}
	r := &ring{origin: origin}
	for i := range rows {
		r.verifies = append(r.verifies, rows[i].Verifier)
	}
	if !slices.ContainsFunc(rows, func(row store.LogKey) bool { return originOf(&row) == origin }) {
		return nil, nil, fmt.Errorf("%w: the mark %s is %q, and there is no key of it", errOrigin, originMark, origin)
	}
	return r, rows, nil
}

// readKeys reads them anew: another node may have made one. Only who has the
// turn calls it. With [errSealed] the ring is whole but for those who sign.
func (p *Publisher) readKeys(ctx context.Context) (*ring, error) {
	r, rows, err := readRing(ctx, p.log)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, trail.ErrKey
	}
	now := store.At(p.c.Now())
	for i := range rows {
		row := &rows[i]
		if !row.Signs(now) || originOf(row) != r.origin {
			delete(p.keys, row.Verifier) // its secret part is to be nowhere
			continue
		}
		k, known := p.keys[row.Verifier]
		if !known {
			var uerr error
			if k, uerr = p.unseal(row); uerr != nil {
				err = errors.Join(err, uerr)
				continue
			}
			p.keys[row.Verifier] = k
		}
		r.sign = append(r.sign, k)
	}
	return r, err
}

// insertKey adds a key and its event. The key is the newest, also where the clock
// was set back.
func (p *Publisher) insertKey(ctx context.Context, tx *store.Tx, k trail.Key, what gate.LogKeyCreated) error {
	what.Verifier = k.Verifier()
	rows, err := store.LogKeys(ctx, tx)
	if err != nil {
		return err
	}
	at := tx.Now()
	if len(rows) > 0 && !at.After(rows[0].CreatedAt.Time) {
		at = store.At(rows[0].CreatedAt.Add(time.Microsecond))
	}
	if err := tx.InsertLogKey(ctx, p.sealKey(k, at)); err != nil {
		return err
	}
	tx.Record(p.c.Record(gate.System(p.c.Tenant, what, gate.Party{Type: "log", ID: k.Name()})))
	return nil
}

// Keys are all keys that there ever were, the newest first.
func (p *Publisher) Keys(ctx context.Context) ([]store.LogKey, error) {
	return store.LogKeys(ctx, p.c.Store)
}

// Rotate makes a new key, which signs from now on. Those before it sign beside
// it for the overlap, so that auditors can learn of the new one from a note that
// they can still verify.
func (p *Publisher) Rotate(ctx context.Context, tx *store.Tx, overlap time.Duration) ([]store.LogKey, error) {
	keys, rows, err := readRing(ctx, tx)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, store.ErrNotFound
	}
	k, err := trail.NewKey(keys.origin)
	if err != nil {
		return nil, err
	}
	end := store.At(tx.Now().Add(overlap))
	what := gate.LogKeyCreated{PreviousEnd: &end.Time}
	for i := range rows {
		if rows[i].Signs(tx.Now()) {
			what.Previous = append(what.Previous, rows[i].Verifier)
		}
	}
	if err := tx.RetireLogKeys(ctx, end); err != nil {
		return nil, err
	}
	if err := p.insertKey(ctx, tx, k, what); err != nil {
		return nil, err
	}
	return store.LogKeys(ctx, tx)
}

// destroyKeys forgets the secret parts of those whose end has come.
func (p *Publisher) destroyKeys(ctx context.Context) error {
	rows, err := store.LogKeys(ctx, p.c.Store)
	if err != nil {
		return err
	}
	for i := range rows {
		row := &rows[i]
		if len(row.Sealed) == 0 || row.Signs(store.At(p.c.Now())) {
			continue
		}
		err := p.c.Store.Write(ctx, func(tx *store.Tx) error {
			if err := tx.DestroyLogKey(ctx, row.Verifier); err != nil {
				return err
			}
			what := gate.LogKeyDestroyed{Verifier: row.Verifier}
			tx.Record(p.c.Record(gate.System(p.c.Tenant, what, gate.Party{Type: "log", ID: originOf(row)})))
			return nil
		})
		if err != nil {
			return err
		}
		if err := p.begin(ctx); err != nil {
			return err
		}
		delete(p.keys, row.Verifier)
		p.end()
	}
	return nil
}
