package audit

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

// Log is what is compared with what was published: a [store.DB], or a
// [store.Inspector], which can't be written to.
type Log interface {
	store.Reader
	Head(ctx context.Context) (trail.Head, error)
	Tree(ctx context.Context) trail.Reader
	Records(ctx context.Context, from, to int64, fn func(*store.Record) error) error
}

// Compare is the check of [Open] by itself: it compares a log with the checkpoint
// that it has kept and with those at the places, and writes nothing, so it may
// run beside a server. Of the Config it needs Now, Log and the places. unread are
// the places that could not be asked. An error that is [ErrRefused] is what a
// start would say.
func Compare(ctx context.Context, log Log, c Config) (unread []string, err error) {
	p := &Publisher{c: c, log: log, keys: map[string]trail.Key{}}
	if err := p.makePlaces(); err != nil {
		return nil, err
	}
	keys, _, err := readRing(ctx, log)
	if errors.Is(err, errOrigin) {
		err = fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err != nil {
		return nil, err
	}
	given, err := p.accepted(ctx, keys)
	if err != nil {
		return nil, err
	}
	found, err := p.complaints(ctx, keys, given.sizes)
	if err != nil {
		return nil, err
	}
	if worst := worstOf(found); worst != nil {
		err = worst.refusal()
	}
	return p.unread, err
}

// OpenKey opens the keys that sign checkpoints of a log now, and returns the vkey
// of the newest; empty if the log has none yet. It writes nothing. Of the Config
// it needs Now and SealKey.
func OpenKey(ctx context.Context, log Log, c Config) (vkey string, err error) {
	block, err := aes.NewCipher(c.SealKey)
	if err != nil {
		return "", err
	}
	p := &Publisher{c: c, log: log, keys: map[string]trail.Key{}}
	if p.seal, err = cipher.NewGCM(block); err != nil {
		return "", err
	}
	rows, err := store.LogKeys(ctx, log)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	keys, err := p.readKeys(ctx)
	if err != nil {
		return "", err
	}
	if len(keys.sign) == 0 {
		return "", errors.New("the log has no key that signs")
	}
	return keys.sign[0].Verifier(), nil
}
