package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// bindMembers makes a flag of each member that a verb has.
func bindMembers(cmd *cobra.Command, members []member, verb verbs) []member {
	var bound []member
	for _, m := range members {
		if verb != 0 && m.on&verb == 0 {
			continue
		}
		bound = append(bound, m)
		switch m.kind {
		case list:
			cmd.Flags().StringArray(m.flag, nil, m.help+" (may be repeated)")
		case truth, secret:
			cmd.Flags().Bool(m.flag, false, m.help)
		case number:
			cmd.Flags().Int64(m.flag, 0, m.help)
		default:
			cmd.Flags().String(m.flag, "", m.help)
		}
	}
	return bound
}

// body is the JSON object of the flags that are given.
func body(cmd *cobra.Command, members []member) (map[string]any, error) {
	object := map[string]any{}
	for _, m := range members {
		if !cmd.Flags().Changed(m.flag) {
			continue
		}
		v, err := value(cmd, m)
		if err != nil {
			return nil, err
		}
		object[m.json] = v
	}
	return object, nil
}

// value is one flag's; pflag has checked its type already.
func value(cmd *cobra.Command, m member) (any, error) {
	switch m.kind {
	case list:
		items, err := cmd.Flags().GetStringArray(m.flag)
		if len(items) == 1 && items[0] == "" {
			items = []string{}
		}
		return items, err
	case truth:
		return cmd.Flags().GetBool(m.flag)
	case number:
		return cmd.Flags().GetInt64(m.flag)
	case secret:
		return readLine(cmd.InOrStdin())
	}
	s, err := cmd.Flags().GetString(m.flag)
	switch {
	case err != nil:
		return s, err
	case s == "" && (m.kind == clearable || m.kind == file):
		return nil, nil // JSON's null
	case m.kind == text || m.kind == clearable:
		return s, nil
	case m.kind == file:
		return document(s)
	}
	if s == "never" && m.kind == instant {
		return nil, nil // JSON's null, which clears the time
	}
	t, err := moment(s, time.Now(), m.kind == past)
	if err != nil {
		return nil, usage("--%s: %v", m.flag, err)
	}
	return t.UTC().Format(time.RFC3339Nano), nil
}

// document is the JSON in a file.
func document(path string) (any, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("%v", err)
	}
	if !json.Valid(raw) {
		return nil, usage("%s holds no JSON", path)
	}
	return json.RawMessage(raw), nil
}

// moment reads a time, or a span from now on or back.
func moment(s string, now time.Time, back bool) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil {
		if back {
			d = -d.Abs()
		}
		return now.Add(d), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, errors.New("want a time such as 2027-01-31T12:00:00Z, or a span such as 12h")
	}
	return t, nil
}

// readLine reads a secret, which must not stand on the command line, where
// every user of the machine sees it.
func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", usage("standard input has no first line to read: %v", err)
	}
	return line, nil
}

// query is the parameters of the flags that are given.
func query(cmd *cobra.Command, members []member) (url.Values, error) {
	object, err := body(cmd, members)
	if err != nil {
		return nil, err
	}
	q := url.Values{}
	for name, v := range object {
		if s, ok := v.(string); ok {
			q.Set(name, s)
			continue
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		q.Set(name, string(raw))
	}
	return q, nil
}
