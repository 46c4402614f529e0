package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pointgate/pointgate/store"
)

func checkConfig(_ context.Context, p *patient) (string, error) {
	return "for " + p.config.PublicURL, p.broken
}

// checkFolder: nobody else may look into the folder of secrets.
func checkFolder(_ context.Context, p *patient) (string, error) {
	info, err := os.Stat(p.config.Data)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is no folder", p.config.Data)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s has mode %04o: others may look into it; want 0700", p.config.Data, info.Mode().Perm())
	}
	return fmt.Sprintf("%s, mode %04o", p.config.Data, info.Mode().Perm()), nil
}

// checkFiles: the database, the master secret and whatever lies beside them.
func checkFiles(_ context.Context, p *patient) (string, error) {
	n := 0
	look := func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a server at work takes files away
		}
		if err != nil {
			return err
		}
		n++
		if info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			return fmt.Errorf("%s has mode %04o: others may read it; want 0600", path, info.Mode().Perm())
		}
		return nil
	}
	if err := filepath.WalkDir(p.config.Data, look); err != nil {
		return "", err
	}
	if info, err := os.Stat(p.config.SecretFile); err == nil && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s has mode %04o: others may read the master secret; want 0600", p.config.SecretFile, info.Mode().Perm())
	}
	return fmt.Sprintf("%d files, readable by their owner alone", n), nil
}

// checkLock: both answers are good, but who asks wants to know.
func checkLock(_ context.Context, p *patient) (string, error) {
	if _, err := os.Stat(filepath.Join(p.config.Data, "lock")); errors.Is(err, fs.ErrNotExist) {
		return "nobody has used the folder yet", nil
	}
	unlock, err := lockDir(p.config.Data)
	var held *lockedError
	if errors.As(err, &held) {
		return held.Error(), nil
	}
	if err != nil {
		return "", err
	}
	unlock()
	return "free: no server is running here", nil
}

func checkDisk(_ context.Context, p *patient) (string, error) {
	free, err := store.FreeDisk(p.config.Data)
	if err != nil {
		return "", err
	}
	found := fmt.Sprintf("%d MiB free, reserve %d MiB", free>>20, p.config.DiskReserve)
	if free < p.config.DiskReserve<<20 {
		return "", errors.New(found + ": writes are refused")
	}
	return found, nil
}

// checkDatabase opens it for the checks that follow.
func checkDatabase(ctx context.Context, p *patient) (string, error) {
	i, err := store.Inspect(store.Options{URL: p.config.Database, Dir: p.config.Data})
	if err != nil {
		return "", err
	}
	have, known, err := i.Schema(ctx)
	if err != nil {
		return "", errors.Join(err, i.Close())
	}
	p.database = i
	if have != known {
		return "", fmt.Errorf("it has schema %d, this program wants %d: run pointgate migrate", have, known)
	}
	return fmt.Sprintf("schema %d", have), nil
}

func checkIntegrity(ctx context.Context, p *patient) (string, error) {
	if p.database == nil {
		return "", errSkipped
	}
	if p.config.Database != "" {
		return "PostgreSQL checks its pages itself", nil
	}
	return "SQLite finds nothing wrong", p.database.Integrity(ctx)
}

func checkLog(ctx context.Context, p *patient) (string, error) {
	if p.database == nil {
		return "", errSkipped
	}
	n, err := p.database.Log(ctx)
	return fmt.Sprintf("%d records, without a gap", n), err
}

// checkIndex: one that is behind or not there is no harm; a server at work catches up.
func checkIndex(ctx context.Context, p *patient) (string, error) {
	if p.database == nil {
		return "", errSkipped
	}
	n, size, err := p.database.Index(ctx)
	if errors.Is(err, store.ErrInvalid) {
		err = fmt.Errorf("%w (the server makes it anew; lists are right meanwhile, but slow)", err)
	}
	return fmt.Sprintf("finds %d of %d records; the server reads the others from the log", n, size), err
}

func checkLedger(ctx context.Context, p *patient) (string, error) {
	if p.database == nil {
		return "", errSkipped
	}
	n, err := p.database.Ledger(ctx)
	return fmt.Sprintf("%d accounts add up", n), err
}

// clockSlack is how far the newest record may lie ahead of the clock: nodes on
// one database differ by a little.
const clockSlack = time.Minute

// checkClock: a clock that was set back would let what has expired live again.
func checkClock(ctx context.Context, p *patient) (string, error) {
	now := time.Now()
	if p.database == nil {
		return now.UTC().Format(time.RFC3339), nil
	}
	last, err := p.database.LastRecord(ctx)
	if err != nil {
		return "", err
	}
	if last.After(now.Add(clockSlack)) {
		return "", fmt.Errorf("it is %s, but the newest record is of %s", now.UTC().Format(time.RFC3339), last.Format(time.RFC3339))
	}
	return now.UTC().Format(time.RFC3339) + ", not before the newest record", nil
}
