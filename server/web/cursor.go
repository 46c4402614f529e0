package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
)

// Cursors makes and opens the cursors of lists. A cursor is a position and the
// list that it belongs to, with a MAC: it holds no secret, but one that was
// changed or taken to another list is refused.
type Cursors struct {
	Key []byte // 32 bytes
}

const cursorMAC = 16

// Make writes position v of the named list. The name should hold all that
// narrows the list: tenant, customer, filters.
func (c Cursors) Make(list string, v any) *string {
	body, _ := json.Marshal(v) // positions are numbers and strings
	s := base64.RawURLEncoding.EncodeToString(append(c.mac(list, body), body...))
	return &s
}

// Open reads a cursor into v; an empty one leaves v alone.
func (c Cursors) Open(list, cursor string, v any) *Problem {
	if cursor == "" {
		return nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) < cursorMAC || !hmac.Equal(raw[:cursorMAC], c.mac(list, raw[cursorMAC:])) ||
		json.Unmarshal(raw[cursorMAC:], v) != nil {
		return BadRequest("This cursor is not one of this list's.")
	}
	return nil
}

func (c Cursors) mac(list string, body []byte) []byte {
	h := hmac.New(sha256.New, c.Key)
	h.Write([]byte(list))
	h.Write([]byte{0})
	h.Write(body)
	return h.Sum(nil)[:cursorMAC]
}
