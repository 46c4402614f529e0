package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// erasure is as the API shows it, also one that is only asked about.
type erasure struct {
	ID       string
	Status   string
	Size     int64
	Position int64
	Records  int64
}

func (c *auditCommand) erase() *cobra.Command {
	cmd := &cobra.Command{
		Use: "erase --subject ID --reason TEXT", Short: "Empty the records that name a person, up to now", Args: cobra.NoArgs,
		Long: `Empty the records of the tenant that name a person, up to now: their bodies, and
what they are found by. Their places in the tree stay, so every proof still holds.
It can't be undone: it says first how many records these are, and asks on a
terminal whether to go on; elsewhere it needs --yes. What was asked for, and what
was done, is recorded; the reason is in these records for good, so it must not say
who the person is. Your own acts stay: another super_admin asks for those.

What stays, and what exported copies mean, is in docs/export.md.`,
	}
	subject := cmd.Flags().String("subject", "", "id of the person, e.g. cus_alice")
	reason := cmd.Flags().String("reason", "", "why, without the person's name or id")
	yes := cmd.Flags().Bool("yes", false, "don't ask whether to go on")
	stay := cmd.Flags().Bool("wait", false, "wait until it is done")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *subject == "" || *reason == "" {
			return usage("--subject and --reason are needed")
		}
		if !*yes && !isTerminal(cmd.InOrStdin()) {
			return usage("it can't be undone, and there is no terminal to ask on: --yes is needed")
		}
		a, err := c.begin()
		if err != nil {
			return err
		}
		if err := previewErasure(cmd.Context(), cmd, a, *subject); err != nil {
			return err
		}
		if !*yes && !confirmed(cmd) {
			return refused("nothing was emptied")
		}
		// Not earlier: an interrupt at the question ends the command.
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

// previewErasure says what is about to be emptied.
func previewErasure(ctx context.Context, cmd *cobra.Command, a *api, person string) error {
	r, err := a.call(ctx, http.MethodPost, "/erasures", nil, map[string]any{"person": person, "dry_run": true})
	if err != nil {
		return err
	}
	var e erasure
	if err := json.Unmarshal(r.body, &e); err != nil {
		return refused("the server's answer can't be read: %w", err)
	}
	least := ""
	if e.Position < e.Size {
		least = fmt.Sprintf(" or more (looked at %d)", e.Position)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%d records%s of %d name %s and will be emptied for good (your own acts stay).\n", e.Records, least, e.Size, person)
	return nil
}

// confirmed asks on the terminal; only a y or yes is one.
func confirmed(cmd *cobra.Command) bool {
	fmt.Fprint(cmd.ErrOrStderr(), "Go on? [y/N] ")
	said, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	said = strings.ToLower(strings.TrimSpace(said))
	return said == "y" || said == "yes"
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
