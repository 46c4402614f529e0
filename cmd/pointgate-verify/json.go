package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// known are the members that are read, by the path of their object. A member
// whose name differs from one of these in case alone is one to Go, and none to
// most other readers of JSON.
var known = map[string][]string{
	"":                {"decision_id", "timestamp", "erased", "input", "result", "custom"},
	"/input":          {"subject", "action", "resource"},
	"/input/subject":  {"type", "id"},
	"/input/action":   {"name"},
	"/input/resource": {"type", "id"},
	"/result":         {"allow"},
	"/custom":         {"tenant", "code", "erased_by", "index", "entry", "nonce", "withheld"},
}

// unread is the path of all that is not read.
const unread = "-"

// oneMeaning refuses JSON that says one thing to one reader and another to the
// next: a member that is there twice (RFC 8259, section 4), at any depth, or
// beside what is read, a member of the same name in other letters. What is no
// JSON says nothing, and is not refused here.
func oneMeaning(text []byte) error {
	if !json.Valid(text) { // this also bounds the depth
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return walkValue(d, "")
}

func walkValue(d *json.Decoder, path string) error {
	t, err := d.Token()
	switch {
	case err != nil:
		return err
	case t == json.Delim('{'):
		err = walkObject(d, path)
	case t == json.Delim('['):
		for err == nil && d.More() {
			err = walkValue(d, unread)
		}
	default:
		return nil
	}
	if err == nil {
		_, err = d.Token()
	}
	return err
}

func walkObject(d *json.Decoder, path string) error {
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		if seen[name] {
			return fmt.Errorf("a member %q is there twice", name)
		}
		seen[name] = true
		for _, k := range known[path] {
			if name != k && strings.EqualFold(name, k) {
				return fmt.Errorf("the member %q is %s/%s to some", name, path, k)
			}
		}
		below := unread
		if slices.Contains(known[path], name) {
			below = path + "/" + name
		}
		if err := walkValue(d, below); err != nil {
			return err
		}
	}
	return nil
}
