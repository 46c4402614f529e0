package tests

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
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
	for _, fault := range []string{"fsync,fdatasync:error=EIO", "pwrite64:error=ENOSPC", "fsync,fdatasync:error=ENOSPC", "pwrite64:error=EIO"} {
		for _, killed := range []bool{false, true} {
			if os.Getenv(campaign) == "" && (killed != strings.Contains(fault, "EIO") || strings.Contains(fault, "pwrite64:error=EIO")) {
				continue // three of the eight do for every run of the tests
			}
			t.Run(fmt.Sprintf("%s, killed %v", fault, killed), func(t *testing.T) {
				o := harness.Options{Dir: t.TempDir()}
				f := &faulty{load: load{server: harness.Start(t, o), effects: map[string]bool{}}}
				f.run(t, func(t *testing.T) func() { return inject(t, f.server.Pid(), fault) }, killed)
				f.holds(t, store.Options{Dir: o.Dir})
			})
		}
	}
}

// TestConnectionsThatDie ends PostgreSQL's side of every connection again and
// again under load, also in the middle of commits, whose outcome is then unknown.
func TestConnectionsThatDie(t *testing.T) {
	o := harness.Options{Dir: t.TempDir(), Database: storetest.Postgres(t)}
	f := &faulty{load: load{server: harness.Start(t, o), effects: map[string]bool{}}}
	f.run(t, func(t *testing.T) func() {
		stop, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			endConnections(t, o.Database, stop)
		}()
		return func() { close(stop); <-ended }
	}, false)
	f.holds(t, store.Options{Dir: o.Dir, URL: o.Database})
}

// faulty is load while something fails.
type faulty struct {
	load
	refused []*harness.Answer
}

const (
	before = 100 // answers before the fault, and after it
	during = 40  // refusals that end it
)

// run loads the server before, during and after the fault; with kill it ends in
// the middle of it.
func (f *faulty) run(t *testing.T, fault func(t *testing.T) (mend func()), kill bool) {
	t.Helper()
	token := must(f.server.Service(harness.Apps["demo-service"], "points:read points:write"))(t).Access
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range loaders {
		wg.Go(func() { f.loop(token, stop) })
	}
	answers := func(n int) func() bool { return func() bool { a, _ := f.counts(); return a >= n } }
	until(t, answers(before))
	mend := fault(t)
	until(t, func() bool { _, r := f.counts(); return r >= during })
	if kill {
		f.server.Kill()
	}
	mend()
	if !kill {
		was, _ := f.counts()
		until(t, answers(was+before))
	}
	close(stop)
	wg.Wait()
	for _, a := range f.refused {
		if a.Status != http.StatusServiceUnavailable || a.Code() != "audit_unavailable" && a.Code() != "store_unavailable" {
			t.Errorf("during the fault: %s", a)
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

// counts are how many were answered and refused so far.
func (f *faulty) counts() (answered, refused int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.answered), len(f.refused)
}

// holds kills the program, looks at what it left, and sends again what was refused.
func (f *faulty) holds(t *testing.T, o store.Options) {
	t.Helper()
	decisions := map[string]bool{}
	for _, a := range f.answered {
		decisions[a.decision] = true
	}
	f.server.Kill()
	leavesHold(t, o, decisions)
	if err := f.server.Restart(); err != nil {
		t.Fatal(err)
	}
	f.again(t)
	f.check(t)
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
	until(t, func() bool {
		select {
		case err := <-ended:
			t.Skipf("skipped: strace may not attach here: %v", err)
		default:
		}
		return traced(t, pid)
	})
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
	}
}

// traced reports whether every thread of a process is attached to (proc(5)).
func traced(t *testing.T, pid int) bool {
	t.Helper()
	threads := must(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid)))(t)
	for _, path := range threads {
		status, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(status), "TracerPid:\t0\n") { // one that has ended is none
			return false
		}
	}
	return len(threads) > 0
}

// endConnections ends all connections to a database but its own until stop.
func endConnections(t *testing.T, database string, stop chan struct{}) {
	db, err := sql.Open("pgx", database)
	if err != nil {
		t.Error(err)
		return
	}
	defer db.Close()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-stop:
			return
		case <-again.C:
			if _, err := db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
				t.Error(err)
			}
		}
	}
}
