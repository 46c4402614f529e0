package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pointgate/pointgate/store"
)

const usePostgresTools = "this is for SQLite: PostgreSQL has its own tools, which know its roles and extensions: use pg_dump and pg_restore"

func newBackupCommand() *cobra.Command {
	cmd := storeCommand("backup FILE", "Copy the database to a new file, also while a server runs", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *StoreConfig, args []string) error {
			if c.Database != "" {
				return usage(usePostgresTools)
			}
			if err := store.Backup(cmd.Context(), c.Data, args[0], progress(cmd.ErrOrStderr(), "backup")); err != nil {
				return usage("backup: %v", err)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "The backup is in %s.\n", args[0])
			return err
		})
	cmd.Long = `Copy the SQLite database to a new file that only its owner can read. The copy
is one consistent state; a server may go on writing meanwhile. An existing file
is never overwritten.

The master secret (secret.key in the data folder) is not in the database: keep
a copy of it in another place. Without it tokens and cursors given out before
are worth nothing after a restore.`
	return cmd
}

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
integrity, the schema, the log's indexes, the ledger's sums. With --force the
database that is there is replaced, and gone.`
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
	switch err := store.Restore(cmd.Context(), c.Data, file, progress(cmd.ErrOrStderr(), "restore")); {
	case errors.Is(err, store.ErrInvalid):
		return failed("restore: %s is no good backup, nothing was changed: %v", file, err)
	case err != nil:
		return usage("restore: %v", err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is restored into %s.\n", file, c.Data)
	return err
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
