package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"syscall"
	"testing"
)

// TestTailFollows: what happens while it runs is shown, in order, once; its own
// questions are not; an interrupt ends it well.
func TestTailFollows(t *testing.T) {
	for _, output := range []string{"table", "json"} {
		t.Run(output, func(t *testing.T) {
			newInstallation(t)
			want(t, exitDone, "session", "list") // before: not shown
			shown, out := io.Pipe()
			var errOut bytes.Buffer
			code := make(chan int, 1)
			go func() {
				code <- execute([]string{"audit", "tail", "--every", "5ms", "--since", "1h", "--action", "client.list", "--output", output}, out, &errOut)
				_ = out.Close()
			}()
			lines := bufio.NewScanner(shown)
			for range 3 {
				want(t, exitDone, "client", "list")
				want(t, exitDone, "key", "list")
				if !lines.Scan() {
					t.Fatalf("it ended: %s", errOut.String())
				}
				checkLine(t, output, lines.Text())
			}
			if err := syscall.Kill(syscall.Getpid(), syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			if got := <-code; got != exitDone {
				t.Errorf("exit code %d, %s", got, errOut.String())
			}
			if lines.Scan() {
				t.Errorf("a line too many: %s", lines.Text())
			}
		})
	}
}

func checkLine(t *testing.T, output, line string) {
	t.Helper()
	if output == "table" {
		if !strings.Contains(line, "  allow  200  ok  client.list  by staff:stf_admin  via -  on client:-  ") {
			t.Errorf("line %q", line)
		}
		return
	}
	var e struct {
		Input struct{ Action struct{ Name string } }
	}
	if err := json.Unmarshal([]byte(line), &e); err != nil || e.Input.Action.Name != "client.list" {
		t.Errorf("line %q: %v", line, err)
	}
}

func TestTailBeginsNowAndHidesItself(t *testing.T) {
	i := newInstallation(t)
	want(t, exitDone, "client", "list")
	a := &api{url: i.url, token: i.token}
	if err := a.check(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	f := &follower{api: a, query: map[string][]string{}, own: map[string]bool{}, out: &out}
	if err := f.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := f.read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if out.String() != "" {
		t.Errorf("it shows %q", out.String())
	}
	want(t, exitDone, "key", "list")
	if _, err := f.read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n != 1 || !strings.Contains(out.String(), "key.list") {
		t.Errorf("it shows %q", out.String())
	}
}
