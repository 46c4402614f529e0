package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestProofHolds(t *testing.T) {
	w := newWorld(t, 300)
	for _, size := range []int64{1, 2, 3, 255, 256, 257, 300} {
		for _, index := range []int64{0, 1, 4, 254, 255, 256, 299} {
			if index < size && index%10 != 3 && index%10 != 7 {
				w.wants(t, 0, []string{
					fmt.Sprintf("index           %d\n", index), fmt.Sprintf("decision id     dec_%d\n", index),
					"subject         customer cus_alice\n", "action          points.read\n", "allow           false\n",
					"code            not_owner\n", "body            verified\n", "signed at       2026-11-22T08:29:00Z\n", "\nHOLDS\n",
				}, "proof", w.file("p", w.proof(index, size)))
			}
		}
	}
	w.wants(t, 0, []string{"was erased", "erased by       dec_9", "body            erased"}, "proof", w.file("p", w.proof(13, 300)))
	w.wants(t, 0, []string{"withheld: it is another tenant's"}, "proof", w.file("p", w.proof(17, 300)))
}

func TestProofAsJSON(t *testing.T) {
	w := newWorld(t, 6)
	code, out := w.run("proof", "--json", w.file("p", w.proof(5, 6)))
	var got struct {
		Holds                                bool
		Index, Size                          int64
		Decision_id, Subject, Action, Origin string
		Allow                                *bool
		Findings                             []finding
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, out)
	}
	if !got.Holds || got.Index != 5 || got.Size != 6 || got.Decision_id != "dec_5" || got.Action != "points.read" || got.Allow == nil || *got.Allow {
		t.Errorf("the answer is %s", out)
	}
	code, out = w.run("proof", "--json", w.file("p", strings.Replace(w.proof(5, 6), "index 5", "index 4", 1)))
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 || got.Holds || len(got.Findings) != 1 || *got.Findings[0].Index != 4 {
		t.Errorf("exit code %d, %v: %s", code, err, out)
	}
}

// TestProofWithALie changes one thing in a proof that holds.
func TestProofWithALie(t *testing.T) {
	w := newWorld(t, 300)
	honest := w.proof(5, 300)
	w.wants(t, 0, nil, "proof", w.file("p", honest))
	withEvent := func(event string) string {
		lines := strings.SplitN(honest, "\n", 3)
		return lines[0] + "\nextra " + base64.StdEncoding.EncodeToString([]byte(event)) + "\n" + lines[2]
	}
	line := func(i int) string { return strings.Split(honest, "\n")[i] }
	flipped := func(s string) string { // another character of base64 in the middle
		b := []byte(s)
		b[len(b)-20] = "AB"[btoi(b[len(b)-20] == 'A')]
		return string(b)
	}
	signature := honest[strings.Index(honest, "— "):]
	signature = signature[:strings.Index(signature, "\n")]
	event, other := w.lines[5], newWorld(t, 300)
	nonce := event[len(event)-47 : len(event)-3]
	elsewhere := newWorld(t, 300)
	elsewhere.log.Signer, elsewhere.log.key = w.log.Signer, w.log.key
	forged := strings.Replace(event, "not_owner", "fine", 1)
	for name, c := range map[string]struct{ file, want string }{
		"a byte of the body":              {withEvent(forged), "index 5: the event is not"},
		"a byte of the nonce":             {withEvent(strings.Replace(event, nonce, flipped(nonce), 1)), "index 5: the event is not"},
		"a hash of the path":              {strings.Replace(honest, line(4), flipped(line(4)), 1), "index 5: the event is not"},
		"a hash of the path is missing":   {strings.Replace(honest, line(4)+"\n", "", 1), "index 5: the event is not"},
		"one hash too many":               {strings.Replace(honest, line(4)+"\n", line(4)+"\n"+line(4)+"\n", 1), "index 5: the event is not"},
		"a thousand hashes":               {strings.Replace(honest, line(4)+"\n", strings.Repeat(line(4)+"\n", 1000), 1), "hash 64"},
		"the index of the proof":          {strings.Replace(honest, "\nindex 5\n", "\nindex 6\n", 1), "claims to be 5"},
		"both indexes":                    {strings.Replace(withEvent(strings.Replace(event, `"index":5`, `"index":6`, 1)), "\nindex 5\n", "\nindex 6\n", 1), "index 6: the event is not"},
		"the event of another index":      {withEvent(w.lines[6]), "claims to be 6"},
		"that event under this index":     {withEvent(strings.Replace(w.lines[6], `"index":6`, `"index":5`, 1)), "index 5: the event is not"},
		"an index with a zero before":     {strings.Replace(honest, "\nindex 5\n", "\nindex 05\n", 1), "the line of the index"},
		"an index without its name":       {strings.Replace(honest, "\nindex 5\n", "\n5\n", 1), "the line of the index"},
		"an event without its index":      {withEvent(strings.Replace(event, `,"index":5,`, `,"place":5,`, 1)), "no index stands before"},
		"an erased event behind another":  {withEvent(fmt.Sprintf(`{"erased":["/input"]}{"custom":{"tenant":"demo","index":5,"entry":"%s"}}`, base64.StdEncoding.EncodeToString(w.entries[5][:]))), "what was erased"},
		"a negative index":                {strings.Replace(honest, "\nindex 5\n", "\nindex -5\n", 1), "the line of the index"},
		"an index beyond the checkpoint":  {strings.Replace(withEvent(strings.Replace(event, `"index":5`, `"index":300`, 1)), "\nindex 5\n", "\nindex 300\n", 1), "beyond it"},
		"the root":                        {strings.Replace(honest, w.root(300).String(), w.root(299).String(), 1), "invalid signature"},
		"the size":                        {strings.Replace(honest, "\n300\n", "\n301\n", 1), "invalid signature"},
		"the origin":                      {strings.Replace(honest, "\npoints.example/audit\n", "\npoints.example/other\n", 1), "invalid signature"},
		"the signature":                   {strings.Replace(honest, signature, flipped(signature), 1), "invalid signature"},
		"the time":                        {strings.TrimSuffix(honest, w.log.cosign(w.text(300), now.Add(-time.Minute))) + moved(w.log.cosign(w.text(300), now)), "invalid signature"},
		"no signature":                    {honest[:strings.Index(honest, "— ")], "malformed note"},
		"another log with the same names": {other.proof(5, 300), "no verifiable signatures"},
		"another tree, signed as well":    {strings.Split(honest, "\n\n")[0] + "\n\n" + elsewhere.checkpoint(300), "index 5: the event is not"},
		"no event":                        {strings.Replace(honest, line(1)+"\n", "", 1), "carries no event"},
		"an invented body with its entry": {withEvent(fmt.Sprintf(`{"decision_id":"dec_5","result":{"allow":true},"erased":["/x"],"custom":{"tenant":"demo","index":5,"entry":"%s"}}`, base64.StdEncoding.EncodeToString(w.entries[5][:]))), "no erased event"},
		"erased, and nothing said":        {withEvent(fmt.Sprintf(`{"decision_id":"dec_5","custom":{"tenant":"demo","index":5,"entry":"%s"}}`, base64.StdEncoding.EncodeToString(w.entries[5][:]))), "what was erased"},
		"withheld with a body":            {withEvent(fmt.Sprintf(`{"result":true,"custom":{"withheld":true,"index":5,"entry":"%s"}}`, base64.StdEncoding.EncodeToString(w.entries[5][:]))), "no erased event"},
		"CR LF":                           {strings.ReplaceAll(honest, "\n", "\r\n"), "no proof"},
		"CR LF in the head":               {strings.Replace(strings.Replace(honest, "\nindex 5\n", "\r\nindex 5\r\n", 1), "v1\n", "v1\r\n", 1), "CR LF"},
		"a byte behind the end":           {honest + "x", "malformed note"},
		"an empty file":                   {"", "no proof"},
		"another header":                  {strings.Replace(honest, "@v1", "@v2", 1), "no proof"},
		"base64 with free bits":           {strings.Replace(honest, line(4), loose(line(4)), 1), "no proof: hash"},
	} {
		t.Run(name, func(t *testing.T) { w.wants(t, 1, []string{"DOES NOT HOLD", c.want}, "proof", w.file("p", c.file)) })
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// moved is a cosignature of another time.
func moved(line string) string {
	head, sig, _ := strings.Cut(strings.TrimSpace(line), "example/audit ")
	b, _ := base64.StdEncoding.DecodeString(sig)
	b[11]++
	return head + "example/audit " + base64.StdEncoding.EncodeToString(b) + "\n"
}

// loose spells the same hash in another way.
func loose(h string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return h[:42] + string(alphabet[strings.IndexByte(alphabet, h[42])|1]) + "="
}

// TestCutIgnoresImitations: what a person may choose is inside of strings, where
// quotes are escaped; and only the end of the line counts.
func TestCutIgnoresImitations(t *testing.T) {
	chosen := `,"index":5,"nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}`
	quoted, err := json.Marshal(chosen)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, 2)
	for i, body := range []string{
		fmt.Sprintf(`{"decision_id":"dec_2","input":{"reason":%s},"custom":{"tenant":"demo"}}`, quoted),
		fmt.Sprintf(`{"decision_id":"dec_3","custom":{"related":%s}}`, quoted),
		`{"decision_id":"dec_4","custom":{"x":{"y":{"tenant":"demo"` + chosen + `}}`,
	} {
		w.addBody(body, [32]byte{byte(i)})
	}
	for i := range w.lines {
		w.wants(t, 0, []string{"verified", fmt.Sprintf("dec_%d", i)}, "proof", w.file("p", w.proof(int64(i), 5)))
	}
	w.wants(t, 0, []string{"verified        5"}, "export", "--checkpoint", w.file("c", w.checkpoint(5)), w.file("x", w.ndjson()))
}

func TestWrittenLikeAForgedLine(t *testing.T) {
	w := newWorld(t, 1)
	w.addBody("{\"decision_id\":\"dec_1\\nHOLDS\\u001b[2J\",\"custom\":{\"tenant\":\"demo\"}}", [32]byte{})
	_, out := w.run("proof", w.file("p", w.proof(1, 2)))
	if strings.Contains(out, "dec_1\nHOLDS") || strings.Contains(out, "\x1b") {
		t.Errorf("a text of the log fakes a line of ours: %s", out)
	}
	var b strings.Builder
	(&report{w: &b}).find(found("a file called\nHOLDS"))
	if strings.Count(b.String(), "\n") != 1 {
		t.Errorf("a finding takes more than its line: %s", b.String())
	}
}

func FuzzProof(f *testing.F) {
	w := newWorld(f, 5)
	f.Add([]byte(w.proof(2, 5)))
	f.Add([]byte("c2sp.org/tlog-proof@v1\nindex 0\n\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := parseProof(file)
		if err != nil {
			return
		}
		trust, err := newTrust([]string{w.log.vkey}, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		r, c, err := p.check(trust)
		if err == nil && (r.entry != w.entries[r.index] || c.Hash != w.root(c.N)) {
			t.Errorf("proves a record that is not in the log: %q", file)
		}
	})
}

func FuzzRecord(f *testing.F) {
	w := newWorld(f, 8)
	for _, line := range w.lines {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := parseRecord(line)
		if err != nil || r.kind != verified {
			return
		}
		// What was read, written again, is the same bytes: there is one reading of a line.
		nonce := string(line[len(line)-47 : len(line)-3])
		if again := fmt.Sprintf(`%s,"index":%d,"nonce":"%s"}}`, r.body, r.index, nonce); again != string(line) {
			t.Errorf("%q is read as %q", line, again)
		}
	})
}

// TestARecordThatReadsInTwoWays: what the log has proven is the bytes. Where two
// readers of JSON see two records in them, none of the two is told as proven.
func TestARecordThatReadsInTwoWays(t *testing.T) {
	const honest = `{"decision_id":"dec_x","input":{"subject":{"type":"customer","id":"cus_alice"},"context":{"facts":{"a":[{"b":1}]}}},"result":{"allow":false},"custom":{"tenant":"demo"}}`
	for name, c := range map[string]struct{ old, new, says string }{
		"another subject to Go":      {`"id":"cus_alice"`, `"id":"cus_alice","ID":"cus_mallory"`, `"ID" is /input/subject/id to some`},
		"another result to Go":       {`"custom":`, `"Result":{"allow":true},"custom":`, `"Result" is /result to some`},
		"by a letter that folds":     {`"custom":`, "\"re\u017fult\":{\"allow\":true},\"custom\":", "result to some"},
		"by an escape":               {`"custom":`, `"\u0072esult":{"allow":true},"custom":`, `"result" is there twice`},
		"the last or the first wins": {`"allow":false`, `"allow":false,"allow":true`, `"allow" is there twice`},
		"two objects that merge":     {`"result":`, `"input":{"subject":{"id":"cus_mallory"}},"result":`, `"input" is there twice`},
		"deep in what is not read":   {`{"b":1}`, `{"b":1,"b":2}`, `"b" is there twice`},
		"two tenants":                {`"tenant":"demo"`, `"TENANT":"other","tenant":"demo"`, `"TENANT" is /custom/tenant to some`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 5)
			w.addBody(honest, [32]byte{})
			w.wants(t, 0, []string{"subject         customer cus_alice", "HOLDS"}, "proof", w.file("p", w.proof(5, 6)))
			w.addBody(strings.Replace(honest, c.old, c.new, 1), [32]byte{})
			code, out := w.run("proof", w.file("p", w.proof(6, 7)))
			if code != 1 || !strings.Contains(out, "index 6: ") || !strings.Contains(out, c.says) || strings.Contains(out, "mallory") || strings.Contains(out, "allow  ") {
				t.Errorf("exit code %d:\n%s", code, out)
			}
			if !strings.HasSuffix(out, ": 1 finding\n") {
				t.Errorf("a finding is counted so:\n%s", out)
			}
		})
	}
	w := newWorld(t, 14)
	honestly := w.lines[13]
	for _, change := range [][2]string{
		{`"erased":`, `"Erased":["/nothing"],"erased":`},
		{`"erased_by":`, `"erased_by":"dec_1","erased_by":`},
		{`"custom":`, `"custom":{},"custom":`},
		{`"decision_id":`, `"Decision_ID":`},
	} {
		w.lines[13] = strings.Replace(honestly, change[0], change[1], 1)
		w.wants(t, 1, []string{"no erased event"}, "proof", w.file("p", w.proof(13, 14)))
	}
}
