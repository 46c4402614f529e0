package oauth2

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

var errJSON = errors.New("oauth2: not a JSON object that can be read in one way only")

// object reads a JSON object strictly: valid UTF-8, no member twice at any
// depth, no depth over 8, nothing behind it.
func object(raw []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(raw) {
		return nil, errJSON
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	first, err := d.Token()
	if err != nil || first != json.Delim('{') || !unambiguous(d, '{', 1) {
		return nil, errJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errJSON
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, errJSON
	}
	return m, nil
}

const maxJSONDepth = 8

// unambiguous reads the rest of an object or array, which open began.
func unambiguous(d *json.Decoder, open json.Delim, depth int) bool {
	names := map[string]bool{}
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			key, ok := name.(string)
			if err != nil || !ok || names[key] {
				return false
			}
			names[key] = true
		}
		value, err := d.Token()
		if err != nil {
			return false
		}
		if inner, ok := value.(json.Delim); ok && (depth == maxJSONDepth || !unambiguous(d, inner, depth+1)) {
			return false
		}
	}
	_, err := d.Token()
	return err == nil
}
