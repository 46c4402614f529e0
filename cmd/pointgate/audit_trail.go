package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/pointgate/pointgate/store/trail"
)

// logKeys is the answer of /audit/keys.
type logKeys struct {
	Data []json.RawMessage `json:"data"`
}

var logKeyColumns = []column{{"VERIFIER", "verifier"}, {"CREATED", "created_at"}, {"RETIRED", "retired_at"}, {"SIGNS", "signs"}}

func (c *auditCommand) checkpoint() *cobra.Command {
	cmd := &cobra.Command{
		Use: "checkpoint", Short: "Print a checkpoint of the log, verified", Args: cobra.NoArgs,
		Long: `Print a checkpoint of the log: a signed note (C2SP tlog-checkpoint), the newest
one, or one that was kept. Its signature is verified with --key; without, with
the keys that the server itself names, which proves nothing about the server.`,
	}
	size := cmd.Flags().Int64("size", -1, "the first one with so many records or more")
	members := bindMembers(cmd, []member{{"at", "at", past, 0, "the newest of that time or before: a time, or a span back such as 1h"}}, 0)
	keys := cmd.Flags().StringArray("key", nil, "vkey of the log (may be repeated)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		a, err := c.begin()
		if err != nil {
			return err
		}
		q, err := query(cmd, members)
		if err != nil {
			return err
		}
		if cmd.Flags().Changed("size") {
			q.Set("size", strconv.FormatInt(*size, 10))
		}
		r, err := a.call(cmd.Context(), http.MethodGet, "/audit/checkpoint", q, nil)
		if err != nil {
			return err
		}
		return c.verified(cmd, a, r.body, *keys)
	}
	return cmd
}

// verified prints a note that one of the keys has signed.
func (c *auditCommand) verified(cmd *cobra.Command, a *api, note []byte, keys []string) error {
	by := "your key"
	if len(keys) == 0 {
		by = "a key that the server names; give --key to be sure"
		var err error
		if keys, err = serverKeys(cmd.Context(), a); err != nil {
			return err
		}
	}
	s, err := trail.Open(note, keys...)
	if errors.Is(err, trail.ErrKey) && by == "your key" {
		return usage("--key: want a vkey (name+id+key), as the log's operator gave it")
	}
	if err != nil {
		return failed("the checkpoint does not verify: %w", err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%d records, signed at %s by %s\n", s.Size, s.At.Format(time.RFC3339), by)
	_, err = cmd.OutOrStdout().Write(note)
	return err
}

func serverKeys(ctx context.Context, a *api) ([]string, error) {
	r, err := a.call(ctx, http.MethodGet, "/audit/keys", nil, nil)
	if err != nil {
		return nil, err
	}
	var list struct{ Data []struct{ Verifier string } }
	if err := json.Unmarshal(r.body, &list); err != nil {
		return nil, refused("the server's list can't be read: %w", err)
	}
	var keys []string
	for _, k := range list.Data {
		keys = append(keys, k.Verifier)
	}
	return keys, nil
}

func (c *auditCommand) proof() *cobra.Command {
	cmd := &cobra.Command{
		Use: "proof ID", Short: "Get the proof that a record is in the log", Args: cobra.ExactArgs(1),
		Long: `Get the proof that a record is in the log (C2SP tlog-proof), with the record
itself in it. pointgate-verify checks it offline.`,
	}
	out := cmd.Flags().String("out", "", "file to write it to (default: standard output)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a, err := c.begin()
		if err != nil {
			return err
		}
		path, err := below("/decisions", args[0], "/proof")
		if err != nil {
			return err
		}
		r, err := a.call(cmd.Context(), http.MethodGet, path, nil, nil)
		if err != nil {
			return err
		}
		if *out == "" {
			_, err = cmd.OutOrStdout().Write(r.body)
			return err
		}
		return writeWhole(*out, func(w io.Writer) error { // readable by its owner alone: it holds the record
			_, err := w.Write(r.body)
			return err
		})
	}
	return cmd
}

func (c *auditCommand) key() *cobra.Command {
	cmd := &cobra.Command{
		Use: "key", Short: "The keys that sign the log's checkpoints", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List them, with those that no longer sign", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.keys(cmd, http.MethodGet, nil) },
	}, c.rotateKey())
	return cmd
}

func (c *auditCommand) rotateKey() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rotate", Short: "Make a new key; those before it sign beside it for an overlap", Args: cobra.NoArgs,
		Long: `Make a new key that signs the log's checkpoints from now on. Those before it sign
beside it for an overlap; give the new vkey to auditors and witnesses in that time.`,
	}
	overlap := cmd.Flags().Duration("overlap", 30*24*time.Hour, "for how long the old keys sign, too")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return c.keys(cmd, http.MethodPost, map[string]any{"overlap_s": int64(overlap.Seconds())})
	}
	return cmd
}

// keys makes a request about the keys and prints all there are.
func (c *auditCommand) keys(cmd *cobra.Command, method string, body any) error {
	a, err := c.begin()
	if err != nil {
		return err
	}
	r, err := a.call(cmd.Context(), method, "/audit/keys", url.Values{}, body)
	if err != nil {
		return err
	}
	var list logKeys
	if err := json.Unmarshal(r.body, &list); err != nil {
		return refused("the server's list can't be read: %w", err)
	}
	if *c.output == "json" {
		return printJSON(cmd.OutOrStdout(), list)
	}
	return printTable(cmd.OutOrStdout(), logKeyColumns, list.Data)
}
