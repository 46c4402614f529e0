package oauth2

import "encoding/json"

// maxActors is how many services may stand between a person and the last that
// acts for them.
const maxActors = 4

// Actor is who acts for the subject of a token: an act claim (RFC 8693 §4.1). The
// outermost acts now; those inside did before it.
type Actor struct {
	Subject  string `json:"sub"`
	ClientID string `json:"client_id"`
	Act      *Actor `json:"act,omitempty"`
}

// acting is the claim of a client that acts by a token whose own claim was this;
// ok is false where too many stand between already.
func acting(client, before string) (claim string, ok bool) {
	a := &Actor{Subject: client, ClientID: client, Act: actorOf(before)}
	depth := 0
	for at := a; at != nil; at = at.Act {
		depth++
	}
	raw, err := json.Marshal(a)
	if err != nil {
		panic(err) // strings
	}
	return string(raw), depth <= maxActors
}

// actorOf reads a claim that was kept; nil where there is none. One that can't be
// read is nobody's, and stays visible as such.
func actorOf(claim string) *Actor {
	if claim == "" {
		return nil
	}
	a := new(Actor)
	if json.Unmarshal([]byte(claim), a) != nil {
		return &Actor{Subject: "?"}
	}
	return a
}

// actorID is the client that acts now; empty: none does.
func actorID(claim string) string {
	if a := actorOf(claim); a != nil {
		return a.Subject
	}
	return ""
}
