package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// Checkpoint is a signed tree head that was kept: what may be published.
type Checkpoint struct {
	At        Time   `db:"at"` // when it was kept; no two are of one time
	Origin    string `db:"origin"`
	Size      int64  `db:"size"`
	Root      []byte `db:"root"`
	Note      string `db:"note"`      // the signed note, with the cosignatures
	Witnesses int64  `db:"witnesses"` // how many have cosigned it
}

const checkpointColumns = `SELECT at, origin, size, root, note, witnesses FROM checkpoints `

// ErrFork says that a log would have two trees of one size, or fewer records
// than it had: what must never be signed.
var ErrFork = errors.New("the log is not what its checkpoints say")

// LastCheckpoint is the one of the largest tree of a log, the newest of those of
// one size. ErrNotFound if there is none.
func LastCheckpoint(ctx context.Context, r Reader, origin string) (*Checkpoint, error) {
	return oneCheckpoint(ctx, r, `WHERE origin = ? ORDER BY size DESC, at DESC LIMIT 1`, origin)
}

// LastCosigned is the one of the largest tree that a witness has cosigned.
func (db *DB) LastCosigned(ctx context.Context, origin string) (*Checkpoint, error) {
	return oneCheckpoint(ctx, db, `WHERE origin = ? AND witnesses > 0 ORDER BY size DESC, at DESC LIMIT 1`, origin)
}

// CheckpointOf is the first kept checkpoint of the smallest tree that has size
// records or more, of whichever log of this installation.
func (db *DB) CheckpointOf(ctx context.Context, size int64) (*Checkpoint, error) {
	return oneCheckpoint(ctx, db, `WHERE size >= ? ORDER BY size, at LIMIT 1`, size)
}

// CheckpointAt is the newest kept checkpoint that is not younger than at.
func (db *DB) CheckpointAt(ctx context.Context, at Time) (*Checkpoint, error) {
	return oneCheckpoint(ctx, db, `WHERE at <= ? ORDER BY at DESC LIMIT 1`, at)
}

func oneCheckpoint(ctx context.Context, r Reader, condition string, arg any) (*Checkpoint, error) {
	var c Checkpoint
	if err := r.Get(ctx, &c, checkpointColumns+condition, arg); err != nil {
		return nil, err
	}
	return &c, nil
}

// KeepCheckpoint keeps one, so that it may be published; after an error it must
// not be. It moves c.At on by microseconds if there is one of this time already.
// [ErrFork] if the log had another tree of this size, or has fewer records than
// this or a kept one says; ErrConflict if another node has kept a larger one.
// Writes run one after another, so two nodes of one database can't disagree.
func (tx *Tx) KeepCheckpoint(ctx context.Context, c *Checkpoint) error {
	size, err := tx.LogSize(ctx)
	if err != nil {
		return err
	}
	if size < c.Size {
		return fmt.Errorf("%w: it has %d records, the checkpoint %d", ErrFork, size, c.Size)
	}
	switch last, err := LastCheckpoint(ctx, tx, c.Origin); {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return err
	case last.Size > size:
		return fmt.Errorf("%w: it has %d records, a checkpoint that was kept %d", ErrFork, size, last.Size)
	case last.Size > c.Size:
		return ErrConflict
	case last.Size == c.Size && !bytes.Equal(last.Root, c.Root):
		return fmt.Errorf("%w: two trees of %d records", ErrFork, c.Size)
	}
	for err == nil {
		if _, err = tx.ReadCheckpoint(ctx, c.At); err == nil {
			c.At = At(c.At.Add(time.Microsecond))
		}
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO checkpoints (at, origin, size, root, note, witnesses) VALUES (?, ?, ?, ?, ?, ?)`,
		c.At, c.Origin, c.Size, c.Root, c.Note, c.Witnesses)
	return err
}

// LogSize is how many records the log has, without those of this group of writes.
func (tx *Tx) LogSize(ctx context.Context) (n int64, err error) {
	err = tx.Get(ctx, &n, `SELECT size FROM log_head`)
	return n, err
}

// ReadCheckpoint is the one that was kept at this time.
func (tx *Tx) ReadCheckpoint(ctx context.Context, at Time) (*Checkpoint, error) {
	return oneCheckpoint(ctx, tx, `WHERE at = ?`, at)
}

// CosignCheckpoint replaces the note of a kept checkpoint by one with more
// signatures, and says how many witnesses have cosigned it.
func (tx *Tx) CosignCheckpoint(ctx context.Context, c *Checkpoint) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE checkpoints SET note = ?, witnesses = ? WHERE at = ? AND size = ?`, c.Note, c.Witnesses, c.At, c.Size)
}

// DropCheckpoints forgets those of more than size records: what they say of is
// lost, and that was accepted.
func (tx *Tx) DropCheckpoints(ctx context.Context, size int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM checkpoints WHERE size > ?`, size)
	return err
}

// thinSteps is how many checkpoints stay: all of the last hour, one a minute of
// the last day, one an hour for ever.
var thinSteps = []struct{ olderThan, newerThan, one time.Duration }{
	{time.Hour, 48 * time.Hour, time.Minute},
	{24 * time.Hour, 100 * 365 * 24 * time.Hour, time.Hour},
}

// ThinCheckpoints forgets at most limit checkpoints that are too many for their
// age. Of those of one minute or hour the one stays that most witnesses have
// cosigned, of these the newest; the last of all is never among those that go.
func (db *DB) ThinCheckpoints(ctx context.Context, limit int) (gone int64, err error) {
	for _, s := range thinSteps {
		now := db.now()
		var at []Time
		one := s.one.Microseconds()
		err := db.Select(ctx, &at, `SELECT c.at FROM checkpoints c WHERE c.at < ? AND c.at > ? AND c.at < (SELECT MAX(at) FROM checkpoints) AND EXISTS (
			SELECT 1 FROM checkpoints d WHERE d.at >= c.at - c.at % ? AND d.at < c.at - c.at % ? + ?
			AND (d.witnesses > c.witnesses OR (d.witnesses = c.witnesses AND d.at > c.at))) LIMIT ?`,
			At(now.Add(-s.olderThan)), At(now.Add(-s.newerThan)), one, one, one, limit)
		if err != nil {
			return gone, err
		}
		if len(at) == 0 {
			continue
		}
		err = db.Write(ctx, func(tx *Tx) error {
			for _, t := range at {
				if _, err := tx.Exec(ctx, `DELETE FROM checkpoints WHERE at = ?`, t); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return gone, err
		}
		gone += int64(len(at))
	}
	return gone, nil
}
