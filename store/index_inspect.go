package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jmoiron/sqlx"
)

// Index is how many of the log's records the search index has. ErrInvalid says
// that it is broken, or that of another log: the server makes it anew.
func (i *Inspector) Index(ctx context.Context) (indexed, size int64, err error) {
	if err := i.db.Get(ctx, &size, `SELECT size FROM log_head`); err != nil {
		return 0, 0, err
	}
	m, err := i.indexMeta(ctx)
	if err != nil || m == nil || m.Position == 0 {
		return 0, size, err
	}
	if m.Version != indexVersion || m.Position > size {
		return m.Position, size, fmt.Errorf("%w: %w: it has version %d and %d records of a log of %d", ErrInvalid, errIndex, m.Version, m.Position, size)
	}
	last, err := i.db.Entries(ctx, m.Position-1, m.Position)
	if err == nil && (len(last) != 1 || string(last[0][:]) != string(m.Entry)) {
		err = fmt.Errorf("%w: %w: it is that of another log", ErrInvalid, errIndex)
	}
	return m.Position, size, err
}

// indexMeta is nil where there is no index yet.
func (i *Inspector) indexMeta(ctx context.Context) (*indexMeta, error) {
	var found []indexMeta
	if !i.db.dialect.local {
		there, err := i.db.hasTable(ctx, "search_meta")
		if err != nil || !there {
			return nil, err
		}
		err = i.db.Select(ctx, &found, selectIndexMeta)
		return one(found), err
	}
	db, err := openPlain(filepath.Join(filepath.Dir(i.db.path), IndexFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := quickCheck(ctx, db); err != nil {
		return nil, err
	}
	var there int64 // a file that is just being made has no table yet
	if err := db.GetContext(ctx, &there, `SELECT COUNT(*) FROM sqlite_master WHERE name = 'search_meta'`); err != nil || there == 0 {
		return nil, err
	}
	if err := db.SelectContext(ctx, &found, selectIndexMeta); err != nil {
		return nil, fmt.Errorf("%w: %w: %w", ErrInvalid, errIndex, err)
	}
	return one(found), nil
}

func one(found []indexMeta) *indexMeta {
	if len(found) != 1 {
		return nil
	}
	return &found[0]
}

func quickCheck(ctx context.Context, db *sqlx.DB) error {
	var verdict string
	if err := db.GetContext(ctx, &verdict, `PRAGMA quick_check(1)`); err != nil || verdict != "ok" {
		return fmt.Errorf("%w: %w: %s %w", ErrInvalid, errIndex, verdict, err)
	}
	return nil
}
