package main

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/spf13/cobra"
)

var countColumns = []column{{"BEGINS", "at"}, {"VALUE", "value"}, {"ALLOWED", "allowed"}, {"DENIED", "denied"}}

// counts is how many decisions there were, over time.
func (c *auditCommand) counts() *cobra.Command {
	cmd := &cobra.Command{
		Use: "counts", Short: "Count decisions by one of their members, over time", Args: cobra.NoArgs,
		Long: `Count decisions by one of their members, by hours or days (UTC). The values with
the most decisions are named; - are the others, and those that have none. Without
--since it is the last 24 hours or, by the day, the last 30 days.`,
	}
	members := bindMembers(cmd, slices.Concat([]member{
		{"by", "by", text, 0, "code, client, subject, rule or action"},
		{"step", "step", text, 0, "hour or day (default hour)"},
		{"limit", "limit", number, 0, "how many values are named, 1 to 50 (default 20)"},
	}, decisionSpan, decisionFilters), 0)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !cmd.Flags().Changed("by") {
			return usage("--by is needed: code, client, subject, rule or action")
		}
		a, err := c.begin()
		if err != nil {
			return err
		}
		q, err := query(cmd, members)
		if err != nil {
			return err
		}
		r, err := a.call(cmd.Context(), http.MethodGet, "/decisions/counts", q, nil)
		if err != nil {
			return err
		}
		if *c.output == "json" {
			return printJSON(cmd.OutOrStdout(), r.body)
		}
		var found struct{ Data []json.RawMessage }
		if err := json.Unmarshal(r.body, &found); err != nil {
			return refused("the server's answer can't be read: %w", err)
		}
		return printTable(cmd.OutOrStdout(), countColumns, found.Data)
	}
	return cmd
}
