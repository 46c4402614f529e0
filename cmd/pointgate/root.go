package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pointgate/pointgate/store"
)

// The exit codes, which scripts rely on.
const (
	exitDone    = 0
	exitCheck   = 1 // what was checked does not hold
	exitUsage   = 2 // wrong usage or configuration
	exitRefused = 3 // the server can't be reached or said no; what it needs is not there now
)

// exit is an error that says how the program ends.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return e.err.Error() }
func (e *exit) Unwrap() error { return e.err }

// usage is wrong usage or configuration, in one clear line.
func usage(format string, args ...any) error {
	return &exit{exitUsage, fmt.Errorf(format, args...)}
}

// failed says that what was checked does not hold.
func failed(format string, args ...any) error {
	return &exit{exitCheck, fmt.Errorf(format, args...)}
}

// refused says that the server could not be reached or said no; of a server
// itself, that something it needs is not there now, or that it failed at work.
func refused(format string, args ...any) error {
	return &exit{exitRefused, fmt.Errorf(format, args...)}
}

// unopened says how a program ends that can't have what it needs to begin: what
// passes by itself is worth another start, and what somebody has to change isn't.
func unopened(err error) error {
	var e *exit
	switch {
	case err == nil, errors.As(err, &e):
		return err
	case store.Away(err):
		return refused("%w", err)
	}
	return usage("%w", err)
}

// execute runs one command line and returns its exit code. What went wrong is
// one line on errOut.
func execute(args []string, out, errOut io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(errOut, "pointgate: %s\n", oneLine(err.Error()))
	var e *exit
	if errors.As(err, &e) {
		return e.code
	}
	return exitUsage // cobra's own: an unknown command or flag, a missing argument
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "pointgate",
		Short: "OAuth2 server, policy decision point, points API and audit trail in one program",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		// The one line of execute is all that is said.
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(newServeCommand(), newAuditCommand())
	for i := range nouns {
		root.AddCommand(newNounCommand(&nouns[i]))
	}
	root.AddCommand(newMigrateCommand(), newBackupCommand(), newRestoreCommand(), newDoctorCommand(), newVersionCommand())
	return root
}

// fromEnvironment reads POINTGATE_… for those of the flags that the command
// line does not give.
func fromEnvironment(flags *pflag.FlagSet) error {
	given := map[string]string{}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			given[f.Name] = f.Value.String()
		}
	})
	return setFromEnvironment(flags, given)
}

func oneLine(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }
