package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"
)

// column is one column of a table: its title, and where its value stands in the
// object, as names joined by dots.
type column struct{ title, path string }

// printTable writes one line for each object.
func printTable(w io.Writer, columns []column, rows []json.RawMessage) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.title
	}
	fmt.Fprintln(t, strings.Join(titles, "\t"))
	for _, raw := range rows {
		cells, err := cellsOf(columns, raw)
		if err != nil {
			return err
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	return t.Flush()
}

func cellsOf(columns []column, raw json.RawMessage) ([]string, error) {
	object, err := decode(raw)
	if err != nil {
		return nil, err
	}
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = short(cell(at(object, c.path)))
	}
	return cells, nil
}

// printObject writes one line for each member, in the order of their names but
// the id first.
func printObject(w io.Writer, raw json.RawMessage) error {
	object, err := decode(raw)
	if err != nil {
		return err
	}
	names := slices.SortedFunc(maps.Keys(object), func(a, b string) int {
		if (a == "id") != (b == "id") {
			if a == "id" {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, name := range names {
		fmt.Fprintf(t, "%s\t%s\n", clean(name), cell(object[name]))
	}
	return t.Flush()
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func decode(raw json.RawMessage) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return nil, refused("the server's answer can't be read: %w", err)
	}
	return object, nil
}

// at finds a value by its path; nil if there is none.
func at(object map[string]any, path string) any {
	var v any = object
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// cell writes a value so that it stays in its column.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		if v == "" {
			return "-"
		}
		return clean(v)
	case []any:
		words := make([]string, len(v))
		for i := range v {
			words[i] = cell(v[i])
		}
		if len(words) == 0 {
			return "-"
		}
		return strings.Join(words, " ")
	case map[string]any:
		raw, _ := json.Marshal(v) // came out of JSON
		return clean(string(raw))
	}
	return clean(fmt.Sprint(v))
}

var longTime = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})\d+(Z|[+-]\d\d:\d\d)$`)

// short cuts a time to milliseconds: in a table, nobody reads what is behind them.
func short(s string) string { return longTime.ReplaceAllString(s, "$1$2") }

// clean takes out what a terminal would obey: names and browsers' user agents
// are written by strangers.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, s)
}
