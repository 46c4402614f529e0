package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pointgate/pointgate/store"
)

// storeCommand is a command that works on the database itself, not through a
// server.
func storeCommand(use, short string, args cobra.PositionalArgs, run func(cmd *cobra.Command, c *StoreConfig, args []string) error) *cobra.Command {
	c := defaultConfig().StoreConfig
	flags := pflag.NewFlagSet("store", pflag.ContinueOnError)
	bindStoreFlags(flags, &c)
	cmd := &cobra.Command{Use: use, Short: short, Args: args}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		// Only of these flags: a POINTGATE_FORCE that was left behind must not
		// replace a database.
		if err := fromEnvironment(flags); err != nil {
			return err
		}
		return run(cmd, &c, args)
	}
	cmd.Flags().AddFlagSet(flags)
	return cmd
}

func newMigrateCommand() *cobra.Command {
	var status bool
	cmd := storeCommand("migrate", "Bring the database to this program's schema", cobra.NoArgs,
		func(cmd *cobra.Command, c *StoreConfig, _ []string) error {
			if status {
				return printSchema(cmd, c)
			}
			return migrate(cmd, c)
		})
	cmd.Flags().BoolVar(&status, "status", false, "only say which schema the database has; exit code 1 if it is not this program's")
	return cmd
}

// migrate works on a folder that nobody else uses. The folder is made if it is
// not there, as `serve` would.
func migrate(cmd *cobra.Command, c *StoreConfig) (err error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return usage("data: %v", err)
	}
	unlock, err := lockDir(c.Data)
	if err != nil {
		return usage("%v", err)
	}
	defer unlock()
	db, err := store.Open(cmd.Context(), store.Options{URL: c.Database, Dir: c.Data, Reserve: c.DiskReserve << 20})
	if err != nil {
		return unopened(fmt.Errorf("database: %w", err))
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := operated(db).Migrated(cmd.Context()); err != nil {
		return failed("the database is migrated, but that could not be recorded yet; the next start will: %v", err)
	}
	v, err := db.Version(cmd.Context())
	if err != nil {
		return usage("database: %v", err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "The database has schema %d.\n", v)
	return err
}

func printSchema(cmd *cobra.Command, c *StoreConfig) (err error) {
	i, err := store.Inspect(store.Options{URL: c.Database, Dir: c.Data})
	if err != nil {
		return usage("database: %v", err)
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	have, known, err := i.Schema(cmd.Context())
	if err != nil {
		return unopened(fmt.Errorf("database: %w", err))
	}
	fmt.Fprintf(cmd.OutOrStdout(), "The database has schema %d; this program knows 1 to %d.\n", have, known)
	if have != known {
		return failed("the schemas differ")
	}
	return nil
}
