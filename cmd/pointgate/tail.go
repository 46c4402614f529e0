package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func (c *auditCommand) tail() *cobra.Command {
	cmd := &cobra.Command{
		Use: "tail", Short: "Follow the decisions as they are made, until interrupted", Args: cobra.NoArgs,
		Long: `Follow the decisions as they are made, oldest first, one line each (with
--output json one JSON object on each line). What this command itself asks for is
decided and recorded too, but not shown.`,
	}
	filters := bindMembers(cmd, append([]member{
		{"since", "from", past, 0, "begin with what was decided then: a time, or a span back such as 10m (default: now)"},
	}, decisionFilters...), 0)
	every := cmd.Flags().Duration("every", time.Second, "how often to ask")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		a, err := c.begin()
		if err != nil {
			return err
		}
		q, err := query(cmd, filters)
		if err != nil {
			return err
		}
		if *every <= 0 {
			return usage("--every: want a span above 0")
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		t := &follower{api: a, query: q, own: map[string]bool{}, out: cmd.OutOrStdout(), json: *c.output == "json"}
		err = t.run(ctx, *every)
		if ctx.Err() != nil {
			return nil // interrupted, as it should end
		}
		return err
	}
	return cmd
}

// follower reads the log from an index on.
type follower struct {
	api   *api
	query url.Values
	last  int64           // the index of the newest record that was read
	own   map[string]bool // the decisions on its own requests that were not read yet
	out   io.Writer
	json  bool
}

func (t *follower) run(ctx context.Context, every time.Duration) error {
	if err := t.start(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		full, err := t.read(ctx)
		if err != nil {
			return err
		}
		if full {
			continue // there is more already
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// start finds the end of the log, unless --since says where to begin.
func (t *follower) start(ctx context.Context) error {
	t.last = -1
	if t.query.Has("from") {
		return nil
	}
	r, err := t.api.call(ctx, http.MethodGet, "/decisions", url.Values{"limit": {"1"}}, nil)
	if err != nil {
		return err
	}
	t.own[r.decision] = true
	var p page
	if err := json.Unmarshal(r.body, &p); err != nil {
		return refused("the server's list can't be read: %w", err)
	}
	for _, raw := range p.Data {
		if t.last, err = indexOf(raw); err != nil {
			return err
		}
	}
	return nil
}

// read prints what is new; full says that there may be more at once.
func (t *follower) read(ctx context.Context) (full bool, err error) {
	q := maps.Clone(t.query)
	q.Set("after", fmt.Sprint(t.last))
	q.Set("limit", fmt.Sprint(pageSize))
	r, err := t.api.call(ctx, http.MethodGet, "/decisions", q, nil)
	if err != nil {
		return false, err
	}
	t.own[r.decision] = true
	var p page
	if err := json.Unmarshal(r.body, &p); err != nil {
		return false, refused("the server's list can't be read: %w", err)
	}
	for _, raw := range p.Data {
		if err := t.show(raw); err != nil {
			return false, err
		}
	}
	return len(p.Data) == pageSize, nil
}

func (t *follower) show(raw json.RawMessage) error {
	object, err := decode(raw)
	if err != nil {
		return err
	}
	if t.last, err = indexOf(raw); err != nil {
		return err
	}
	id, _ := object["decision_id"].(string)
	if t.own[id] {
		delete(t.own, id)
		return nil
	}
	line := decisionLine(object)
	if t.json {
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return refused("the server's answer can't be read: %w", err)
		}
		line = compact.String()
	}
	_, err = fmt.Fprintln(t.out, line)
	return err
}

func indexOf(raw json.RawMessage) (int64, error) {
	var e struct{ Custom struct{ Index *int64 } }
	if err := json.Unmarshal(raw, &e); err != nil || e.Custom.Index == nil {
		return 0, refused("a record without an index: %v", err)
	}
	return *e.Custom.Index, nil
}

// decisionLine says in one line who asked for what, and what came of it.
func decisionLine(object map[string]any) string {
	verdict := "deny "
	if allow, _ := at(object, "result.allow").(bool); allow {
		verdict = "allow"
	}
	words := []string{
		short(cell(at(object, "timestamp"))), verdict, cell(at(object, "custom.status")), cell(at(object, "custom.code")),
		cell(at(object, "input.action.name")),
		"by " + cell(at(object, "input.subject.type")) + ":" + cell(at(object, "input.subject.id")),
		"via " + cell(at(object, "input.context.client.id")),
		"on " + cell(at(object, "input.resource.type")) + ":" + cell(at(object, "input.resource.id")),
		cell(at(object, "decision_id")),
	}
	return strings.Join(words, "  ")
}
