package web

import (
	"bytes"
	"encoding/base64"
	"testing"
)

// position is as lists have it.
type position struct {
	At int64  `json:"at"`
	ID string `json:"id"`
}

func TestCursors(t *testing.T) {
	const list = "history\x00demo\x00cus_alice"
	c := Cursors{Key: bytes.Repeat([]byte{7}, 32)}
	was := position{At: 1_795_348_800, ID: "txn_1"}
	good := *c.Make(list, was)
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	forged := append(bytes.Repeat([]byte{0}, cursorMAC), raw[cursorMAC:]...)
	for name, tc := range map[string]struct {
		by           Cursors
		list, cursor string
		ok           bool
	}{
		"its own":                   {c, list, good, true},
		"another customer's list":   {c, "history\x00demo\x00cus_bob", good, false},
		"another tenant's list":     {c, "history\x00other\x00cus_alice", good, false},
		"other filters":             {c, list + "\x00earn", good, false},
		"another key":               {Cursors{Key: bytes.Repeat([]byte{8}, 32)}, list, good, false},
		"a forged MAC":              {c, list, base64.RawURLEncoding.EncodeToString(forged), false},
		"the MAC alone":             {c, list, base64.RawURLEncoding.EncodeToString(raw[:cursorMAC]), false},
		"less than a MAC":           {c, list, base64.RawURLEncoding.EncodeToString(raw[:cursorMAC-1]), false},
		"padding":                   {c, list, good + "=", false},
		"something behind it":       {c, list, good + "AA", false},
		"no base64":                 {c, list, "nonsense!", false},
		"a position of other shape": {c, list, *c.Make(list, []int{1}), false},
	} {
		t.Run(name, func(t *testing.T) {
			var got position
			p := tc.by.Open(tc.list, tc.cursor, &got)
			if tc.ok && (p != nil || got != was) {
				t.Errorf("%v, %+v", p, got)
			}
			if !tc.ok && (p == nil || p.Status != 400) {
				t.Errorf("got %v and %+v, want a 400", p, got)
			}
		})
	}
}

// TestNoByteOfACursorMayChange flips each bit in turn.
func TestNoByteOfACursorMayChange(t *testing.T) {
	c := Cursors{Key: bytes.Repeat([]byte{7}, 32)}
	raw, err := base64.RawURLEncoding.DecodeString(*c.Make("list", position{At: 1, ID: "x"}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for bit := range 8 {
			raw[i] ^= 1 << bit
			if p := c.Open("list", base64.RawURLEncoding.EncodeToString(raw), new(position)); p == nil {
				t.Errorf("byte %d, bit %d: taken", i, bit)
			}
			raw[i] ^= 1 << bit
		}
	}
}

func TestNoCursorLeavesThePositionAlone(t *testing.T) {
	was := position{At: 5}
	if p := (Cursors{Key: []byte("k")}).Open("list", "", &was); p != nil || was.At != 5 {
		t.Errorf("%v, %+v", p, was)
	}
}
