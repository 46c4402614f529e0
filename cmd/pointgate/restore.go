package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pointgate/pointgate/store"
)

func newRestoreCommand() *cobra.Command {
	var force bool
	cmd := storeCommand("restore FILE", "Put a backup into an empty data folder", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *StoreConfig, args []string) error {
			if c.Database != "" {
				return usage(usePostgresTools)
			}
			return restore(cmd, c, args[0], force)
		})
	cmd.Long = `Put a backup into an empty data folder. The copy is checked first: SQLite's
integrity, the schema, the log's indexes, the ledger's sums. It is brought to
this program's schema, and its log takes a record of the restore
(database.restore) before it takes its place. With --force the database that is
there is replaced, and gone. The folder needs room for two copies meanwhile.`
	cmd.Flags().BoolVar(&force, "force", false, "replace the database that is there")
	return cmd
}

func restore(cmd *cobra.Command, c *StoreConfig, file string, force bool) error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return usage("data: %v", err)
	}
	unlock, err := lockDir(c.Data)
	if err != nil {
		return usage("%v", err)
	}
	defer unlock()
	if err := wantEmpty(c.Data); err != nil && !force {
		return err
	}
	switch err := replace(cmd, c, file); {
	case errors.Is(err, store.ErrInvalid):
		return failed("restore: %s is no good backup, nothing was changed: %v", file, err)
	case err != nil:
		return usage("restore: %v", err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is restored into %s.\n", file, c.Data)
	return err
}

// replace restores into a folder of its own, records that there, and restores
// the result into the data folder: so there is never a restored database in its
// place without its record.
func replace(cmd *cobra.Command, c *StoreConfig, file string) error {
	ctx := cmd.Context()
	staging, err := os.MkdirTemp(c.Data, ".staging-*") // made with mode 0700
	if err != nil {
		return err
	}
	defer os.RemoveAll(staging)
	digest, err := digestOf(file)
	if err != nil {
		return err
	}
	if err := store.Restore(ctx, staging, file, progress(cmd.ErrOrStderr(), "restore")); err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Options{Dir: staging, Reserve: c.DiskReserve << 20, Readers: 1})
	if err != nil {
		return err
	}
	err = operated(db).Restored(ctx, filepath.Base(file), digest, sizeOfLog(ctx, c.Data))
	recorded := filepath.Join(staging, "recorded.db") // one file, where the database may still have some of it in SQLite's log
	if err == nil {
		err = store.Backup(ctx, staging, recorded, nil)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(staging, store.File)); err != nil { // for its room
		return err
	}
	return store.Restore(ctx, c.Data, recorded, nil)
}

// sizeOfLog is how many records the log has that is about to be replaced; -1
// where there is none, or none that can be read: that may be why it is replaced.
func sizeOfLog(ctx context.Context, dir string) int64 {
	i, err := store.Inspect(store.Options{Dir: dir})
	if err != nil {
		return -1
	}
	defer i.Close()
	size, err := i.Log(ctx)
	if err != nil && !errors.Is(err, store.ErrInvalid) { // of a log with gaps, what its head says
		return -1
	}
	return size
}

// digestOf is the SHA-256 of a file, in hexadecimal.
func digestOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// wantEmpty allows the lock, and the secret that may have to be put there first.
func wantEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return usage("data: %v", err)
	}
	for _, e := range entries {
		if e.Name() != "lock" && e.Name() != "secret.key" {
			return usage("the data folder %s is not empty (%s): use --force to replace its database", dir, e.Name())
		}
	}
	return nil
}
