package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pointgate/pointgate/store"
)

const usePostgresTools = "this is for SQLite: PostgreSQL has its own tools, which know its roles and extensions: use pg_dump and pg_restore"

func newBackupCommand() *cobra.Command {
	var unrecorded bool
	cmd := storeCommand("backup FILE", "Copy the database to a new file, also while a server runs", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *StoreConfig, args []string) error {
			if c.Database != "" {
				return usage(usePostgresTools)
			}
			if err := backup(cmd, c, args[0], unrecorded); err != nil {
				return usage("backup: %v", err)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "The backup is in %s.\n", args[0])
			return err
		})
	cmd.Long = `Copy the SQLite database to a new file that only its owner can read. The copy
is one consistent state; a server may go on writing meanwhile. An existing file
is never overwritten.

The log takes a record of the backup first (database.backup), so the copy has it
too. Where it can't, because the disk is full or the database has the schema of
another version, nothing is copied unless --unrecorded says so.

The master secret (secret.key in the data folder) is not in the database: keep
a copy of it in another place. Without it tokens and cursors given out before
are worth nothing after a restore.`
	cmd.Flags().BoolVar(&unrecorded, "unrecorded", false, "copy the database as it is, without a record of that in its log")
	return cmd
}

func backup(cmd *cobra.Command, c *StoreConfig, file string, unrecorded bool) error {
	ctx, name := cmd.Context(), filepath.Base(file)
	if _, err := os.Lstat(file); err == nil { // before it is announced
		return fmt.Errorf("%s: %w", file, store.ErrExists)
	}
	if !unrecorded {
		if err := inLog(ctx, c, func(db *store.DB) error { return operated(db).BackedUp(ctx, name) }); err != nil {
			return fmt.Errorf("it can't be recorded, so nothing was copied (see --unrecorded): %w", err)
		}
	}
	err := store.Backup(ctx, c.Data, file, progress(cmd.ErrOrStderr(), "backup"))
	if err != nil && !unrecorded {
		err = errors.Join(err, inLog(ctx, c, func(db *store.DB) error { return operated(db).BackupFailed(ctx, name) }))
	}
	return err
}

// inLog opens the database for one record, beside a server that may be at work:
// each commit reads the head of the log anew, whoever wrote it. A database of
// another schema is left as it is.
func inLog(ctx context.Context, c *StoreConfig, record func(db *store.DB) error) (err error) {
	o := store.Options{URL: c.Database, Dir: c.Data, Reserve: c.DiskReserve << 20, Readers: 1}
	i, err := store.Inspect(o)
	if err != nil {
		return err
	}
	have, known, err := i.Schema(ctx)
	if err = errors.Join(err, i.Close()); err != nil {
		return err
	}
	if have != known {
		return fmt.Errorf("the database has schema %d, this program wants %d: run pointgate migrate, or use the program that fits", have, known)
	}
	db, err := store.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return record(db)
}
