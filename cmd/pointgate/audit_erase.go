package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// erasure is as the API shows it.
type erasure struct {
	ID       string
	Status   string
	Size     int64
	Position int64
}

func (c *auditCommand) erase() *cobra.Command {
	cmd := &cobra.Command{
		Use: "erase --subject ID --reason TEXT", Short: "Empty the records that name a person, up to now", Args: cobra.NoArgs,
		Long: `Empty the records of the tenant that name a person, up to now: their bodies, and
what they are found by. Their places in the tree stay, so every proof still holds.
It can't be undone. What was asked for, and what was done, is recorded; the reason
is in these records for good, so it must not say who the person is.

What stays, and what exported copies mean, is in docs/export.md.`,
	}
	subject := cmd.Flags().String("subject", "", "id of the person, e.g. cus_alice")
	reason := cmd.Flags().String("reason", "", "why, without the person's name or id")
	stay := cmd.Flags().Bool("wait", false, "wait until it is done")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *subject == "" || *reason == "" {
			return usage("--subject and --reason are needed")
		}
		a, err := c.begin()
		if err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		r, err := a.call(ctx, http.MethodPost, "/erasures", nil, map[string]string{"person": *subject, "reason": *reason})
		if err == nil && *stay {
			r, err = waitForErasure(ctx, cmd, a, r)
		}
		if err != nil {
			return err
		}
		if *c.output == "json" {
			return printJSON(cmd.OutOrStdout(), r.body)
		}
		return printObject(cmd.OutOrStdout(), r.body)
	}
	return cmd
}

// waitForErasure asks until it is done. Who interrupts it stops the asking only.
func waitForErasure(ctx context.Context, cmd *cobra.Command, a *api, r *reply) (*reply, error) {
	show := progress(cmd.ErrOrStderr(), "erasing")
	for {
		var e erasure
		if err := json.Unmarshal(r.body, &e); err != nil {
			return nil, refused("the server's answer can't be read: %w", err)
		}
		if show != nil {
			show(e.Position, e.Size)
		}
		if e.Status == "done" {
			return r, nil
		}
		select {
		case <-ctx.Done():
			return nil, refused("it goes on without this command: erasure %s", e.ID)
		case <-time.After(300 * time.Millisecond):
		}
		path, err := below("/erasures", e.ID, "")
		if err != nil {
			return nil, err
		}
		if r, err = a.call(ctx, http.MethodGet, path, nil, nil); err != nil {
			return nil, err
		}
	}
}
