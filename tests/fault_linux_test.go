package tests

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/tests/harness"
)

// TestFaultsOfTheDisk breaks the disk under the running program: each call by
// which SQLite makes a commit durable fails for a while. Nothing may be answered
// then but a clear 503; what was answered is a leaf of the log; the program goes
// on by itself when the disk does, and starts again after a kill in the middle.
func TestFaultsOfTheDisk(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("skipped: no strace, which breaks the system calls")
	}
	for name, fault := range map[string]string{
		"fsync EIO":    "fsync,fdatasync:error=EIO",
		"write EIO":    "pwrite64:error=EIO",
		"write ENOSPC": "pwrite64:error=ENOSPC",
		"fsync ENOSPC": "fsync,fdatasync:error=ENOSPC",
	} {
		for _, killed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, killed %v", name, killed), func(t *testing.T) {
				o := harness.Options{Dir: t.TempDir()}
				f := &faulty{load: load{server: harness.Start(t, o), effects: map[string]bool{}}}
				f.run(t, fault, killed)
				decisions := map[string]bool{}
				for _, a := range f.answered {
					decisions[a.decision] = true
				}
				f.server.Kill()
				leavesHold(t, store.Options{Dir: o.Dir}, decisions)
				if err := f.server.Restart(); err != nil {
					t.Fatal(err)
				}
				f.again(t)
				f.check(t)
			})
		}
	}
}

// faulty is load while calls fail.
type faulty struct {
	load
	refused []*harness.Answer
}

const (
	before  = 100 // answers before the fault
	during  = 40  // refusals that end it
	patient = 30 * time.Second
)

// run loads the server before, during and after the fault; with kill it ends in
// the middle of it.
func (f *faulty) run(t *testing.T, fault string, kill bool) {
	t.Helper()
	token := must(f.server.Service(harness.Apps["demo-service"], "points:read points:write"))(t).Access
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range loaders {
		wg.Go(func() { f.loop(token, stop) })
	}
	f.until(t, "answers", func() bool { return len(f.answered) >= before })
	mend := inject(t, f.server.Pid(), fault)
	f.until(t, "refusals", func() bool { return len(f.refused) >= during })
	if kill {
		f.server.Kill()
	}
	mend()
	if !kill {
		was := f.count()
		f.until(t, "answers after the fault", func() bool { return len(f.answered) >= was+before })
	}
	close(stop)
	wg.Wait()
	for _, a := range f.refused {
		if a.Status != http.StatusServiceUnavailable || a.Code() != "audit_unavailable" && a.Code() != "store_unavailable" {
			t.Errorf("while the disk was broken: %s", a)
		}
	}
}

// loop is one client; what is refused stays open, to be sent again with its key.
func (f *faulty) loop(token string, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		r := newRequest()
		a, err := f.send(r, token)
		f.mu.Lock()
		switch {
		case err != nil:
			f.open = append(f.open, r)
		case a.Status >= 500:
			f.open, f.refused = append(f.open, r), append(f.refused, a)
		default:
			f.answered = append(f.answered, replyOf(r, a))
		}
		f.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (f *faulty) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.answered)
}

func (f *faulty) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patient); ; time.Sleep(5 * time.Millisecond) {
		f.mu.Lock()
		done := holds()
		f.mu.Unlock()
		if done {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %s within %s", what, patient)
		}
	}
}

// inject makes system calls of a process fail until mend is called.
func inject(t *testing.T, pid int, fault string) (mend func()) {
	t.Helper()
	calls, _, _ := strings.Cut(fault, ":")
	cmd := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+calls, "-e", "inject="+fault, "-p", strconv.Itoa(pid))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		t.Skipf("skipped: strace may not attach here: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
	}
}
