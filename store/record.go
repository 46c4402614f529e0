package store

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/pointgate/pointgate/store/trail"
)

// Record is one event as the log keeps it, and a leaf of its tree. Body is the
// whole event in the shape of OPA's EventV1; the other members are taken out of
// it for lists, counts and alerts.
type Record struct {
	Index    int64 // the leaf: contiguous from 0; assigned in the commit
	ID       string
	At       Time
	Tenant   string
	Subject  string
	Client   string
	Action   string
	Resource string
	Related  string // another person that it touches, such as the receiver of a transfer
	Allow    bool
	Code     string // of the answer; "ok" where there is nothing to complain of
	Status   int    // of the answer
	Request  string
	Grant    string
	IP       string
	Rules    Words // that denied
	// Body is JSON without space around it whose last member is custom, an
	// object with members. Empty once it is erased.
	Body []byte
	// Erased says that body, nonce and what named persons are gone; ErasedBy is
	// the decision that did it, empty where its time was over.
	Erased   bool
	ErasedBy string

	// Nonce and Entry are set by the log.
	Nonce trail.Nonce
	Entry trail.Entry

	commitment trail.Commitment
}

var errBody = errors.New("store: a record's body does not end with its member custom")

// seal commits the record to its body. It takes the hashing off the writer.
func (r *Record) seal() error {
	n := len(r.Body)
	if n < 4 || r.Body[n-1] != '}' || r.Body[n-2] != '}' || r.Body[n-3] == '{' {
		return errBody
	}
	if hashing {
		r.Nonce = trail.NewNonce()
		r.commitment = trail.Commit(r.Nonce, r.Body)
	}
	return nil
}

// Event is the record as the outside sees it: the body with its place in the
// log and its nonce put in at the end, so that whoever cuts them out has the
// bytes that the entry commits to.
func (r *Record) Event() json.RawMessage {
	if r.Erased {
		return r.erasedEvent()
	}
	out := make([]byte, 0, len(r.Body)+96)
	out = append(out, r.Body[:len(r.Body)-2]...)
	out = append(out, `,"index":`...)
	out = strconv.AppendInt(out, r.Index, 10)
	out = append(out, `,"nonce":"`...)
	out = base64.StdEncoding.AppendEncode(out, r.Nonce[:])
	return append(out, `"}}`...)
}

// erasedEvent is what is left: that there was a record, and its place.
func (r *Record) erasedEvent() json.RawMessage {
	out, _ := json.Marshal(struct { // plain values: can't fail
		ID     string   `json:"decision_id"`
		At     string   `json:"timestamp"`
		Erased []string `json:"erased"`
		Custom struct {
			Tenant string      `json:"tenant"`
			By     string      `json:"erased_by"`
			Index  int64       `json:"index"`
			Entry  trail.Entry `json:"entry"`
		} `json:"custom"`
	}{r.ID, r.At.Format(time.RFC3339Nano), []string{"/input", "/result", "/requested_by"}, struct {
		Tenant string      `json:"tenant"`
		By     string      `json:"erased_by"`
		Index  int64       `json:"index"`
		Entry  trail.Entry `json:"entry"`
	}{r.Tenant, r.ErasedBy, r.Index, r.Entry}})
	return out
}

// Withheld is the record's place for those who may not see it: enough to check
// the tree, and nothing else.
func (r *Record) Withheld() json.RawMessage {
	out, _ := json.Marshal(map[string]any{"custom": struct { // plain values: can't fail
		Withheld bool        `json:"withheld"`
		Index    int64       `json:"index"`
		Entry    trail.Entry `json:"entry"`
	}{true, r.Index, r.Entry}})
	return out
}
