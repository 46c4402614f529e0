package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func gzipped(t testing.TB, s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(s))
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExportHolds(t *testing.T) {
	for _, size := range []int{1, 2, 255, 256, 257, 700} {
		w := newWorld(t, size)
		c := w.file("c", w.checkpoint(w.size()))
		e, h := (size+6)/10, (size+2)/10
		want := []string{
			fmt.Sprintf("verified        %d\nerased          %d\nwithheld        %d\ncomplete        true\n", size-e-h, e, h),
			fmt.Sprintf("last index      %d\n", size-1), "HOLDS",
		}
		w.wants(t, 0, want, "export", "--checkpoint", c, w.file("x.ndjson", w.ndjson()))
		w.wants(t, 0, want, "export", "--checkpoint", c, w.file("x.ndjson.gz", gzipped(t, w.ndjson())))
		w.wants(t, 0, want, "export", "--checkpoint", c, w.file("x.ndjson", strings.TrimSuffix(w.ndjson(), "\n")))
		site := w.site()
		w.wants(t, 0, want, "export", "--checkpoint", site+"/checkpoint", "--log", site, "--whole", w.file("x.ndjson", w.ndjson()))
	}
	w := newWorld(t, 0)
	w.wants(t, 0, []string{"complete        true"}, "export", "--checkpoint", w.file("c", w.checkpoint(0)), w.file("x", ""))
}

func TestExportOfAPart(t *testing.T) {
	w := newWorld(t, 700)
	c, site := w.file("c", w.checkpoint(700)), w.site()
	part := func(lines []string) string { return w.file("x", strings.Join(lines, "\n")+"\n") }
	var some []string
	for i := 5; i < 700; i += 90 {
		some = append(some, w.lines[i])
	}
	nothing := []string{"complete        false", "nothing is said about the indexes that are not in the file"}
	w.wants(t, 0, nothing, "export", "--checkpoint", c, "--log", site, part(some))
	w.wants(t, 0, nothing, "export", "--checkpoint", c, "--log", site, part(w.lines[:600]))
	w.wants(t, 0, nothing, "export", "--checkpoint", c, "--log", site, "--contiguous", part(w.lines[100:600]))
	w.wants(t, 0, nothing, "export", "--checkpoint", c, "--log", site, w.file("x", ""))
	for _, empty := range []string{"", gzipped(t, "")} {
		w.wants(t, 1, []string{"nothing was checked", "DOES NOT HOLD: 1 finding\n"}, "export", "--checkpoint", c, "--log", site, "--contiguous", w.file("x", empty))
		w.wants(t, 1, []string{"index 0: missing, and all up to 699"}, "export", "--checkpoint", c, "--log", site, "--whole", w.file("x", empty))
	}
	w.wants(t, 1, []string{"index 6: missing, and all up to 94"}, "export", "--checkpoint", c, "--log", site, "--contiguous", part(some))
	w.wants(t, 1, []string{"index 0: missing, and all up to 99", "index 600: missing, and all up to 699"}, "export", "--checkpoint", c, "--log", site, "--whole", part(w.lines[100:600]))
	w.wants(t, 1, []string{"index 0: missing, and all up to 99", "index 600: missing, and all up to 699"}, "export", "--checkpoint", c, part(w.lines[100:600]))
	w.wants(t, 1, []string{"index 0: missing, and all up to 699"}, "export", "--checkpoint", c, w.file("x", ""))
	w.wants(t, 1, []string{"line 2: index 5: in the wrong order: it comes behind 95"}, "export", "--checkpoint", c, "--log", site, part([]string{some[1], some[0]}))
	w.wants(t, 1, []string{"line 2: index 95: appears twice"}, "export", "--checkpoint", c, "--log", site, part([]string{some[1], some[1]}))
	w.wants(t, 1, []string{"line 1: index 699: the line is not the record"}, "export", "--checkpoint", c, "--log", site, part([]string{strings.Replace(w.lines[699], "alice", "alicf", 1)}))
}

func TestExportWithALie(t *testing.T) {
	w := newWorld(t, 300)
	c, site := w.file("c", w.checkpoint(300)), w.site()
	with := func(change func([]string) []string) string {
		return strings.Join(change(slices.Clone(w.lines)), "\n") + "\n"
	}
	at := func(i int, old, new string) string {
		return with(func(l []string) []string {
			if !strings.Contains(l[i], old) {
				t.Fatalf("%q is not in %s", old, l[i])
			}
			l[i] = strings.Replace(l[i], old, new, 1)
			return l
		})
	}
	nonce := func(i int) string { return w.lines[i][len(w.lines[i])-47 : len(w.lines[i])-3] }
	zipped := gzipped(t, w.ndjson())
	for name, c := range map[string]struct {
		file string
		with []string // with a log
		bare []string // without
	}{
		"a bit of a body":           {at(265, "cus_alice", "cus_alica"), []string{"line 266: index 265: the line is not"}, []string{"some line is not the log's"}},
		"a bit of a nonce":          {at(0, nonce(0), nonce(1)), []string{"line 1: index 0: the line is not"}, []string{"some line is not"}},
		"the entry of an erased":    {at(13, `"entry":"`+w.lines[13][len(w.lines[13])-47:], `"entry":"`+nonce(5)+`"}}`), []string{"line 14: index 13: the line is not"}, []string{"some line is not"}},
		"a body of another index":   {with(func(l []string) []string { l[5] = strings.Replace(l[6], `"index":6`, `"index":5`, 1); return l }), []string{"line 6: index 5: the line is not"}, []string{"some line is not"}},
		"an index":                  {at(6, `"index":6`, `"index":5`), []string{"line 7: index 5: appears twice", "index 6: missing"}, []string{"line 7: index 5: appears twice", "index 6: missing"}},
		"two lines swapped":         {with(func(l []string) []string { l[8], l[9] = l[9], l[8]; return l }), []string{"line 10: index 8: in the wrong order: it comes behind 9"}, []string{"line 10: index 8: in the wrong order"}},
		"a line removed":            {with(func(l []string) []string { return slices.Delete(l, 270, 271) }), []string{"index 270: missing\n"}, []string{"index 270: missing\n"}},
		"lines removed":             {with(func(l []string) []string { return slices.Delete(l, 0, 20) }), []string{"index 0: missing, and all up to 19\n"}, []string{"index 0: missing, and all up to 19\n"}},
		"a line twice":              {with(func(l []string) []string { return slices.Insert(l, 9, l[8]) }), []string{"line 10: index 8: appears twice"}, []string{"line 10: index 8: appears twice"}},
		"a line again, later":       {with(func(l []string) []string { return append(l, l[8]) }), []string{"line 301: index 8: appears again"}, []string{"line 301: index 8: appears again"}},
		"a tail cut off":            {with(func(l []string) []string { return l[:290] }), []string{"index 290: missing, and all up to 299"}, []string{"index 290: missing, and all up to 299"}},
		"a tail cut in a line":      {w.ndjson()[:len(w.ndjson())-30], []string{"line 300: no exported event", "index 299: missing"}, []string{"line 300: no exported event", "index 299: missing"}},
		"a line behind the end":     {with(func(l []string) []string { return append(l, strings.Replace(l[299], `"index":299`, `"index":300`, 1)) }), []string{"line 301: index 300: beyond the checkpoint", "verified        240\n"}, []string{"line 301: index 300: beyond"}},
		"CR LF":                     {strings.ReplaceAll(w.ndjson(), "\n", "\r\n"), []string{"line 1: the line ends in CR LF"}, []string{"line 1: the line ends in CR LF"}},
		"an empty line":             {with(func(l []string) []string { return slices.Insert(l, 7, "") }), []string{"line 8: an empty line"}, []string{"line 8: an empty line"}},
		"a line over 1 MiB":         {with(func(l []string) []string { l[4] = strings.Repeat("x", mostLine+2) + l[4]; return l }), []string{"line 5: an empty line, or one over 1 MiB", "index 4: missing"}, []string{"line 5: an empty line, or one over 1 MiB"}},
		"a space at the end":        {at(4, `="}}`, `="}} `), []string{"line 5: no exported event"}, []string{"line 5: no exported event"}},
		"JSON that was formatted":   {at(4, `"custom":{`, `"custom": {`), []string{"index 4: the line is not"}, []string{"some line is not"}},
		"an erased body made up":    {at(13, `"erased":`, `"result":true,"erased":`), []string{"line 14: no erased event"}, []string{"line 14: no erased event"}},
		"a gzip file cut short":     {zipped[:len(zipped)/2], []string{"cut short or damaged"}, []string{"cut short or damaged"}},
		"a gzip file, one bit":      {zipped[:len(zipped)-6] + "x" + zipped[len(zipped)-5:], []string{"cut short or damaged"}, []string{"cut short or damaged"}},
		"a gzip header and no more": {zipped[:5], []string{"gzip"}, []string{"gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.wants(t, 1, c.bare, "export", "--checkpoint", w.dir+"/c", w.file("x", c.file))
			w.wants(t, 1, c.with, "export", "--checkpoint", w.dir+"/c", "--log", site, "--whole", w.file("x", c.file))
		})
	}
	other := w.rewritten(t, 20)
	w.wants(t, 1, []string{"some line is not the log's"}, "export", "--checkpoint", w.file("other", other.checkpoint(300)), w.file("x", w.ndjson()))
	w.wants(t, 1, []string{"index 0: the log's tile for the 256 records from here proves nothing"}, "export", "--checkpoint", c, "--log", other.site(), w.file("x", w.ndjson()))
	w.wants(t, 3, nil, "export", "--checkpoint", c, "--log", "http://127.0.0.1:1/audit", w.file("x", w.ndjson()))
}

// TestManyFindings: what is told is bounded, what is counted is not.
func TestManyFindings(t *testing.T) {
	w := newWorld(t, 5000)
	var odd []string
	for i := 1; i < 5000; i += 2 {
		odd = append(odd, w.lines[i])
	}
	code, out := w.run("export", "--checkpoint", w.file("c", w.checkpoint(5000)), w.file("x", strings.Join(odd, "\n")))
	if code != 1 || strings.Count(out, ": missing") != mostFindings || !strings.Contains(out, "DOES NOT HOLD: 2500 findings") {
		t.Errorf("exit code %d, %d lines: %s", code, strings.Count(out, "\n"), out[len(out)-200:])
	}
}
