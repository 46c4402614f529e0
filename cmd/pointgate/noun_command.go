package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// nounCommand makes the commands of one noun.
type nounCommand struct {
	*noun
	api    func() (*api, error)
	kind   *string // --type
	output *string
}

func newNounCommand(n *noun) *cobra.Command {
	cmd := &cobra.Command{
		Use: n.name, Short: n.short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c := &nounCommand{noun: n, api: bindAPI(cmd), kind: new(string), output: bindOutput(cmd)}
	if _, single := n.paths[""]; !single {
		kinds := slices.Sorted(maps.Keys(n.paths))
		cmd.PersistentFlags().StringVar(c.kind, "type", kinds[0], strings.Join(kinds, " or "))
	}
	cmd.AddCommand(c.list(), c.show())
	for _, v := range []struct {
		verb verbs
		make func() *cobra.Command
	}{
		{create, c.create}, {update, c.update}, {rotate, c.rotate}, {rotateAll, c.rotateAll},
		{remove, func() *cobra.Command { return c.remove("delete") }},
		{revoke, func() *cobra.Command { return c.remove("revoke") }},
	} {
		if n.verbs&v.verb != 0 {
			cmd.AddCommand(v.make())
		}
	}
	return cmd
}

func bindOutput(cmd *cobra.Command) *string {
	return cmd.PersistentFlags().String("output", "table", "table or json")
}

// begin checks what all verbs need, and gives the path of the objects.
func (c *nounCommand) begin() (a *api, path string, err error) {
	if err := checkOutput(*c.output); err != nil {
		return nil, "", err
	}
	path, ok := c.paths[*c.kind]
	if !ok {
		return nil, "", usage("--type: want %s", strings.Join(slices.Sorted(maps.Keys(c.paths)), " or "))
	}
	a, err = c.api()
	return a, path, err
}

func checkOutput(output string) error {
	if output != "table" && output != "json" {
		return usage("--output: want table or json")
	}
	return nil
}

func (c *nounCommand) list() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List them", Args: cobra.NoArgs}
	filters := bindMembers(cmd, c.filters, 0)
	limit := cmd.Flags().Int("limit", 50, "how many at most; 0 for all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		a, path, err := c.begin()
		if err != nil {
			return err
		}
		q, err := query(cmd, filters)
		if err != nil {
			return err
		}
		p, err := a.list(cmd.Context(), path, q, *limit)
		if err != nil {
			return err
		}
		return printPage(cmd, *c.output, c.columns, p)
	}
	return cmd
}

func printPage(cmd *cobra.Command, output string, columns []column, p *page) error {
	if output == "json" {
		return printJSON(cmd.OutOrStdout(), p)
	}
	if err := printTable(cmd.OutOrStdout(), columns, p.Data); err != nil {
		return err
	}
	if p.Next != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "There are more: --limit 0 shows all.")
	}
	return nil
}

func (c *nounCommand) show() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.one(cmd, http.MethodGet, target{id: args[0]}, nil)
		},
	}
}

func (c *nounCommand) create() *cobra.Command {
	cmd := &cobra.Command{Use: "create", Short: "Make one; a secret is shown this once", Args: cobra.NoArgs}
	members := bindMembers(cmd, c.members, create)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		object, err := body(cmd, members)
		if err != nil {
			return err
		}
		return c.one(cmd, http.MethodPost, target{all: true}, object)
	}
	return cmd
}

func (c *nounCommand) update() *cobra.Command {
	cmd := &cobra.Command{Use: "update ID", Short: "Change what the flags say, and nothing else", Args: cobra.ExactArgs(1)}
	members := bindMembers(cmd, c.members, update)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		object, err := body(cmd, members)
		if err != nil {
			return err
		}
		if len(object) == 0 {
			return usage("nothing to change: no flag is given")
		}
		return c.one(cmd, http.MethodPatch, target{id: args[0]}, object)
	}
	return cmd
}

func (c *nounCommand) rotate() *cobra.Command {
	cmd := &cobra.Command{Use: "rotate ID", Short: "Make a new secret; the old one stays good for an overlap", Args: cobra.ExactArgs(1)}
	members := bindMembers(cmd, []member{{"overlap", "overlap_s", number, 0, "seconds for which the old secret stays good (default 86400)"}}, 0)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		object, err := body(cmd, members)
		if err != nil {
			return err
		}
		return c.one(cmd, http.MethodPost, target{id: args[0], part: "/secrets"}, object)
	}
	return cmd
}

func (c *nounCommand) rotateAll() *cobra.Command {
	cmd := &cobra.Command{Use: "rotate", Short: "Make the next ones; those before them are good for an overlap", Args: cobra.NoArgs}
	members := bindMembers(cmd, c.members, rotateAll)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		object, err := body(cmd, members)
		if err != nil {
			return err
		}
		a, path, err := c.begin()
		if err != nil {
			return err
		}
		r, err := a.call(cmd.Context(), http.MethodPost, path, nil, object)
		if err != nil {
			return err
		}
		var p page
		if err := json.Unmarshal(r.body, &p); err != nil {
			return err
		}
		return printPage(cmd, *c.output, c.columns, &p)
	}
	return cmd
}

func (c *nounCommand) remove(verb string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " ID", Short: "End it, at once", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, path, err := c.begin()
			if err != nil {
				return err
			}
			if path, err = below(path, args[0], ""); err != nil {
				return err
			}
			_, err = a.call(cmd.Context(), http.MethodDelete, path, nil, nil)
			return err
		},
	}
}

// target is what a request is about: all objects of the kind, one, or a part of
// one.
type target struct {
	all  bool
	id   string
	part string
}

// one makes a request and prints the object that comes back.
func (c *nounCommand) one(cmd *cobra.Command, method string, to target, object map[string]any) error {
	a, path, err := c.begin()
	if err != nil {
		return err
	}
	if !to.all {
		if path, err = below(path, to.id, to.part); err != nil {
			return err
		}
	}
	var content any
	if object != nil {
		content = object
	}
	r, err := a.call(cmd.Context(), method, path, nil, content)
	if err != nil {
		return err
	}
	return printOne(cmd, *c.output, r.body)
}

// below is the path of one object, which no id can lead out of.
func below(path, id, part string) (string, error) {
	if strings.Trim(id, ".") == "" {
		return "", usage("%q is no id", id)
	}
	return path + "/" + url.PathEscape(id) + part, nil
}

func printOne(cmd *cobra.Command, output string, raw json.RawMessage) error {
	if output == "json" {
		return printJSON(cmd.OutOrStdout(), raw)
	}
	return printObject(cmd.OutOrStdout(), raw)
}
