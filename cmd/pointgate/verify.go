package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

// verifyCommand is `audit verify`: the operator's check of the whole database.
type verifyCommand struct {
	keys, checkpoints []string
	record            bool
}

func newVerifyCommand() *cobra.Command {
	v := new(verifyCommand)
	cmd := storeCommand("verify", "Check the whole log in the database", cobra.NoArgs,
		func(cmd *cobra.Command, c *StoreConfig, _ []string) error { return v.run(cmd, c) })
	cmd.Long = `Read the whole log in the database, also while a server runs, and check that
every index is there, that each record is what was logged at its index, that
the tree is made of the records, and that the log continues the checkpoints:
those that the database has kept, and those that others have, which are named
with --checkpoint. Without it, the server's checkpoint file is taken:
POINTGATE_CHECKPOINT_FILE, or the one beside the data folder. What does not hold
is named by its index, and the exit code is 1.

This is the operator's check: it needs the database. Others check from outside,
with pointgate-verify; see docs/audit.md.`
	cmd.Flags().StringArrayVar(&v.checkpoints, "checkpoint", nil, "file or URL of a checkpoint that was published (may be repeated), or none")
	cmd.Flags().StringArrayVar(&v.keys, "key", nil, "vkey that the checkpoints are signed with (default: those that the database names)")
	cmd.Flags().BoolVar(&v.record, "record", false, "put the result into the log; one that is bad raises an alert")
	return cmd
}

func (v *verifyCommand) run(cmd *cobra.Command, c *StoreConfig) error {
	how, _ := cmd.Flags().GetString("output") // of the audit command
	if err := checkOutput(how); err != nil {
		return err
	}
	i, err := store.Inspect(store.Options{URL: c.Database, Dir: c.Data})
	if err != nil {
		return usage("database: %v (name the data folder with --data, or --database)", err)
	}
	defer i.Close()
	claims, err := v.claims(cmd.Context(), c, i)
	if err != nil {
		return err
	}
	found, err := i.Verify(cmd.Context(), claims, progress(cmd.ErrOrStderr(), "verify"))
	if err != nil {
		return usage("the log can't be read: %v", err)
	}
	if v.record {
		err = inLog(cmd.Context(), c, func(db *store.DB) error { return operated(db).Verified(cmd.Context(), found) })
	}
	return errors.Join(err, printVerification(cmd.OutOrStdout(), found, len(claims), how == "json"))
}

func printVerification(w io.Writer, v *store.Verification, outside int, asJSON bool) (err error) {
	switch {
	case asJSON:
		raw, _ := json.Marshal(map[string]any{ // plain values: can't fail
			"holds": len(v.Findings) == 0, "size": v.Size, "root": v.Root, "erased": v.Erased,
			"checkpoints": v.Claims, "outside": outside, "findings": append([]store.Finding{}, v.Findings...),
		})
		err = printJSON(w, json.RawMessage(raw))
	default:
		for _, f := range v.Findings {
			fmt.Fprintln(w, f)
		}
	}
	switch n := len(v.Findings); {
	case n == 1:
		return failed("the log does not hold: 1 finding")
	case n > 1:
		return failed("the log does not hold: %d findings", n)
	case asJSON:
		return err
	}
	_, err = fmt.Fprintf(w, "The log holds: %d records (%d without content), root %s,\ncompared with %d checkpoints, %d of them from outside the database.\n",
		v.Size, v.Erased, v.Root, v.Claims, outside)
	return err
}

// claims are the checkpoints that others have.
func (v *verifyCommand) claims(ctx context.Context, c *StoreConfig, i *store.Inspector) (claims []store.Claim, err error) {
	places, keys := v.checkpoints, v.keys
	switch {
	case len(places) == 0:
		file := checkpointFile(os.Getenv("POINTGATE_CHECKPOINT_FILE"), c.Data)
		if file == "" || !exists(file) {
			return nil, usage("there is no checkpoint from outside the database (looked for %q): name one with --checkpoint, or --checkpoint none to do without", file)
		}
		places = []string{file}
	case slices.Equal(places, []string{"none"}):
		return nil, nil
	}
	if len(keys) == 0 {
		if keys, err = i.Verifiers(ctx); err != nil {
			return nil, usage("the log's keys: %v", err)
		}
	}
	for _, place := range places {
		note, err := readCheckpoint(ctx, place)
		if err != nil {
			return nil, usage("checkpoint: %v", err)
		}
		s, err := trail.Open(note, keys...)
		if errors.Is(err, trail.ErrKey) && len(v.keys) > 0 {
			return nil, usage("--key: want a vkey (name+id+key), as the log's operator gave it")
		}
		if err != nil {
			return nil, failed("%s: %w", place, err)
		}
		claims = append(claims, store.Claim{Head: s.Head, Where: "the checkpoint in " + place})
	}
	return claims, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

const (
	maxNote     = 64 << 10
	noteTimeout = 10 * time.Second
)

func readCheckpoint(ctx context.Context, place string) ([]byte, error) {
	if !strings.HasPrefix(place, "https://") && !strings.HasPrefix(place, "http://") {
		return os.ReadFile(place)
	}
	if !safeURL(place) {
		return nil, fmt.Errorf("%s: want https, or http on this machine", place)
	}
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", place, r.Status)
	}
	return io.ReadAll(io.LimitReader(r.Body, maxNote))
}
