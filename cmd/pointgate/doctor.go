package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/pointgate/pointgate/store"
)

func newDoctorCommand() *cobra.Command {
	c := defaultConfig()
	var file string
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check the configuration, the data folder and the database", Args: cobra.NoArgs,
		Long: `Check the configuration, the data folder and the database, one line each. It
changes nothing and may run beside a server. The exit code is 1 if a check fails;
a warning (warn) is none.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				file = os.Getenv("POINTGATE_CONFIG")
			}
			p := &patient{config: c, broken: loadConfig(c, cmd.Flags(), file)}
			defer p.close()
			return examine(cmd.Context(), p, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "YAML file with the configuration")
	c.bind(cmd.Flags())
	return cmd
}

// patient is what is examined.
type patient struct {
	config   *Config
	broken   error // what is wrong with the configuration
	database *store.Inspector
}

func (p *patient) close() {
	if p.database != nil {
		_ = p.database.Close()
	}
}

// check is one question. Its answer says what was found, also when it fails.
type check struct {
	name string
	ask  func(ctx context.Context, p *patient) (string, error)
}

// checks are asked in this order; each sees what the ones before have opened.
var checks = []check{
	{"config", checkConfig},
	{"folder", checkFolder},
	{"files", checkFiles},
	{"lock", checkLock},
	{"disk", checkDisk},
	{"database", checkDatabase},
	{"integrity", checkIntegrity},
	{"log", checkLog},
	{"checkpoint", checkCheckpoint},
	{"log key", checkLogKey},
	{"token keys", checkTokenKeys},
	{"index", checkIndex},
	{"ledger", checkLedger},
	{"clock", checkClock},
}

// warning is an answer that is good, and could be better.
type warning struct{ text string }

func (w warning) Error() string { return w.text }

var errSkipped = errors.New("not asked: there is no database to ask")

func examine(ctx context.Context, p *patient, out io.Writer) error {
	bad := 0
	for _, c := range checks {
		found, err := c.ask(ctx, p)
		verdict := "ok"
		switch {
		case errors.Is(err, errSkipped):
			verdict, found = "skip", err.Error()
		case errors.As(err, new(warning)):
			verdict, found = "warn", err.Error()
		case err != nil:
			verdict, found = "FAIL", err.Error()
			bad++
		}
		if _, err := fmt.Fprintf(out, "%-4s  %-10s  %s\n", verdict, c.name, oneLine(found)); err != nil {
			return err
		}
	}
	if bad > 0 {
		return failed("%d of %d checks failed", bad, len(checks))
	}
	return nil
}
