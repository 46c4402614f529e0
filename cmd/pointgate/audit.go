package main

import (
	"net/http"
	"slices"

	"github.com/spf13/cobra"
)

var decisionColumns = []column{
	{"INDEX", "custom.index"}, {"TIME", "timestamp"}, {"DECISION", "decision_id"},
	{"SUBJECT", "input.subject.id"}, {"CLIENT", "input.context.client.id"}, {"ACTION", "input.action.name"},
	{"RESOURCE", "input.resource.id"}, {"ALLOW", "result.allow"}, {"CODE", "custom.code"}, {"STATUS", "custom.status"},
}

var decisionFilters = []member{
	{"subject", "subject", text, 0, "who asked"},
	{"client", "client", text, 0, "through which client"},
	{"action", "action", text, 0, "for what, e.g. points.redeem"},
	{"resource", "resource", text, 0, "on which object"},
	{"allow", "allow", truth, 0, "only what was allowed (=false: denied)"},
	{"code", "code", text, 0, "with which code, e.g. missing_scope"},
	{"request", "request_id", text, 0, "in which request"},
	{"grant", "grant", text, 0, "with which authorization or session"},
	{"rule", "rule", text, 0, "denied by which rule"},
	{"related", "related", text, 0, "which other person it touches, e.g. the receiver of a transfer"},
}

var decisionSpan = []member{
	{"since", "from", past, 0, "not before: a time, or a span back such as 1h"},
	{"until", "to", past, 0, "before: a time, or a span back such as 1h"},
}

func newAuditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "audit", Short: "The records of all decisions", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c := &auditCommand{api: bindAPI(cmd), output: bindOutput(cmd)}
	cmd.AddCommand(c.list(), c.show(), c.tail(), c.counts(), c.export(), c.erase(), c.checkpoint(), c.proof(), c.key(), newVerifyCommand())
	return cmd
}

type auditCommand struct {
	api    func() (*api, error)
	output *string
}

func (c *auditCommand) begin() (*api, error) {
	if err := checkOutput(*c.output); err != nil {
		return nil, err
	}
	return c.api()
}

func (c *auditCommand) list() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List decisions, newest first", Args: cobra.NoArgs}
	filters := bindMembers(cmd, slices.Concat(decisionSpan, []member{
		{"id", "q", text, 0, "whose id begins with this"},
	}, decisionFilters), 0)
	limit := cmd.Flags().Int("limit", 50, "how many at most; 0 for all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		a, err := c.begin()
		if err != nil {
			return err
		}
		q, err := query(cmd, filters)
		if err != nil {
			return err
		}
		p, err := a.list(cmd.Context(), "/decisions", q, *limit)
		if err != nil {
			return err
		}
		return printPage(cmd, *c.output, decisionColumns, p)
	}
	return cmd
}

func (c *auditCommand) show() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one record, as OPA writes its events", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := c.begin()
			if err != nil {
				return err
			}
			path, err := below("/decisions", args[0], "")
			if err != nil {
				return err
			}
			r, err := a.call(cmd.Context(), http.MethodGet, path, nil, nil)
			if err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), r.body)
		},
	}
}
