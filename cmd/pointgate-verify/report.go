package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// finding is one thing that does not hold.
type finding struct {
	Index   *int64 `json:"index,omitempty"`
	Line    int64  `json:"line,omitempty"`
	Problem string `json:"problem"`
}

func (f *finding) Error() string {
	where := ""
	if f.Index != nil {
		where = fmt.Sprintf("index %d: ", *f.Index)
	}
	if f.Line > 0 {
		where = fmt.Sprintf("line %d: ", f.Line) + where
	}
	return where + f.Problem
}

func found(format string, args ...any) *finding {
	return &finding{Problem: fmt.Sprintf(format, args...)}
}

func foundAt(index int64, format string, args ...any) *finding {
	return &finding{Index: &index, Problem: fmt.Sprintf(format, args...)}
}

// asFinding is the finding in an error, or nil: it is something else, or none.
func asFinding(err error) (f *finding) {
	errors.As(err, &f)
	return f
}

// unreachable is a log that could not be asked, or said no.
type unreachable struct{ error }

// mostFindings are told one by one; the rest is counted.
const mostFindings = 1000

// report collects what a command has to say. As text it is written at once, as
// JSON at the end. Keep it to one goroutine.
type report struct {
	w        io.Writer
	json     bool
	facts    []string // JSON members, in order
	findings []*finding
	count    int
}

// fact tells something that was read or checked. A text from outside is quoted
// where it could move the cursor or fake a line of ours.
func (r *report) fact(name string, value any) {
	b, err := json.Marshal(value)
	if err != nil {
		b = []byte("null")
	}
	r.facts = append(r.facts, strconv.Quote(name)+":"+string(b))
	if !r.json {
		fmt.Fprintf(r.w, "%-16s%s\n", strings.ReplaceAll(name, "_", " "), printable(fmt.Sprint(value)))
	}
}

func (r *report) find(f *finding) {
	f.Problem = printable(f.Problem)
	if r.count++; r.count > mostFindings {
		return
	}
	r.findings = append(r.findings, f)
	if !r.json {
		fmt.Fprintln(r.w, "DOES NOT HOLD:", f)
	}
}

func printable(s string) string {
	if strings.IndexFunc(s, func(c rune) bool { return !strconv.IsPrint(c) }) >= 0 {
		return strconv.Quote(s)
	}
	return s
}

// close tells the verdict and returns the exit code.
func (r *report) close(err error, errs io.Writer) int {
	if f := asFinding(err); f != nil {
		r.find(f)
		err = nil
	}
	code := 0
	switch {
	case r.count > 0:
		code = 1
	case errors.As(err, &unreachable{}):
		code = 3
	case err != nil:
		code = 2
	}
	if err != nil {
		fmt.Fprintln(errs, "pointgate-verify:", printable(err.Error()))
	}
	switch {
	case r.json:
		members := append([]string{`"holds":` + strconv.FormatBool(code == 0)}, r.facts...)
		b, _ := json.Marshal(append([]*finding{}, r.findings...)) // strings and integers always marshal
		members = append(members, `"findings":`+string(b), `"findings_count":`+strconv.Itoa(r.count))
		fmt.Fprintf(r.w, "{%s}\n", strings.Join(members, ","))
	case code == 1:
		many := "s"
		if r.count == 1 {
			many = ""
		}
		fmt.Fprintf(r.w, "DOES NOT HOLD: %d finding%s\n", r.count, many)
	case code == 0:
		fmt.Fprintln(r.w, "HOLDS")
	}
	return code
}

// progress shows on a terminal how far a long work is; elsewhere it is silent.
func (a *app) progress(what string) func(done, total int64) {
	f, ok := a.errors.(*os.File)
	if ok {
		info, err := f.Stat()
		ok = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	shown := int64(-1)
	return func(done, total int64) {
		percent := int64(100)
		if total > 0 {
			percent = min(done*100/total, 100)
		}
		if !ok || percent == shown {
			return
		}
		shown = percent
		end := ""
		if percent == 100 {
			end = "\n"
		}
		fmt.Fprintf(f, "\r%s %3d %%%s", what, percent, end)
	}
}
