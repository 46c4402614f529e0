package audit

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pointgate/pointgate/store/trail"
)

// offered is a place that notes when it was offered what.
type offered struct {
	begin time.Time
	mu    sync.Mutex
	at    []time.Duration
	sizes []int64
	down  atomic.Bool
	hang  bool
}

func (o *offered) put(ctx context.Context, c *Published) error {
	o.mu.Lock()
	o.at, o.sizes = append(o.at, time.Since(o.begin)), append(o.sizes, c.Size)
	o.mu.Unlock()
	if o.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if o.down.Load() {
		return errors.New("down")
	}
	return nil
}

// seen is what it was offered, and when.
func (o *offered) seen() ([]time.Duration, []int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.at), slices.Clone(o.sizes)
}

func sized(n int64) *Published {
	return &Published{Signed: trail.Signed{Checkpoint: trail.Checkpoint{Origin: "a", Head: trail.Head{Size: n}}, At: time.Now()}}
}

func newPlace(o *offered, every time.Duration) *place {
	return &place{kind: "test", put: o.put, every: every, wake: make(chan struct{}, 1)}
}

// TestAPlaceThatIsDown is tried again later and later, gets the newest when it
// is up, and keeps nobody waiting.
func TestAPlaceThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down, up, hangs := &offered{begin: time.Now()}, &offered{begin: time.Now()}, &offered{begin: time.Now(), hang: true}
		p := &Publisher{c: Config{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}}
		p.leads.Store(true)
		down.down.Store(true)
		ctx, stop := context.WithCancel(context.Background())
		for _, o := range []*offered{down, up, hangs} {
			pl := newPlace(o, 0)
			p.places = append(p.places, pl)
			go p.deliver(ctx, pl)
		}
		for n := range int64(300) {
			p.publish(sized(n))
			synctest.Wait()
			time.Sleep(time.Second) // of the fake clock
		}
		synctest.Wait()
		if _, got := up.seen(); len(got) != 300 {
			t.Errorf("the one that is up got %d of 300", len(got))
		}
		want := []time.Duration{0, 1, 3, 7, 15, 31, 63, 123, 183, 243}
		for i := range want {
			want[i] *= time.Second
		}
		if at, _ := down.seen(); !slices.Equal(at, want) {
			t.Errorf("the one that is down was offered at %v, want %v", at, want)
		}
		if states := p.Places(); states[0].Fault != "down" || !states[0].Taken.IsZero() || states[1].Size != 299 || states[1].Fault != "" || states[2].Fault == "" {
			t.Errorf("%+v", states)
		}
		down.down.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		_, got := down.seen()
		if last := got[len(got)-1]; last != 299 || p.Places()[0].Size != 299 || p.Places()[0].Fault != "" {
			t.Errorf("when it is up it gets %d, and then %+v", last, p.Places()[0])
		}
		stop()
		synctest.Wait()
	})
}

func TestAPlaceIsAskedAtMostSoOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &offered{begin: time.Now()}
		p := &Publisher{c: Config{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}}
		p.leads.Store(true)
		pl := newPlace(o, 10*time.Second)
		p.places = []*place{pl}
		ctx, stop := context.WithCancel(context.Background())
		go p.deliver(ctx, pl)
		for n := range int64(29) {
			p.publish(sized(n))
			synctest.Wait()
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if at, _ := o.seen(); !slices.Equal(at, []time.Duration{0, 10 * time.Second, 20 * time.Second}) {
			t.Errorf("asked at %v", at)
		}
		stop()
		synctest.Wait()
	})
}

func TestOnlyTheNodeThatLeadsPublishesForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared, own := &offered{begin: time.Now()}, &offered{begin: time.Now()}
		p := &Publisher{c: Config{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}}
		ctx, stop := context.WithCancel(context.Background())
		for _, o := range []*offered{shared, own} {
			pl := newPlace(o, 0)
			pl.local = o == own
			p.places = append(p.places, pl)
			go p.deliver(ctx, pl)
		}
		p.publish(sized(1))
		synctest.Wait()
		_, there := shared.seen()
		if _, here := own.seen(); len(there) != 0 || len(here) != 1 {
			t.Errorf("one that does not lead puts %d there and %d in its own file", len(there), len(here))
		}
		stop()
		synctest.Wait()
	})
}

// TestRunEndsWithALastCheckpoint in the file, of all there is.
func TestRunEndsWithALastCheckpoint(t *testing.T) {
	oneWorld(t, func(w *world) {
		t := w.T
		p := w.open()
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()
		w.fill(5)
		stop()
		<-done
		if got := w.inFile(); got.Size != w.size() {
			t.Errorf("the file has %d of %d", got.Size, w.size())
		}
		if held, err := w.db.Lease(context.Background(), leaseName, "another", leaseFor); err != nil || !held {
			t.Errorf("the lease is still held: %v", err)
		}
	})
}

func TestTheFileIsWholeAndForAll(t *testing.T) {
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "data.checkpoint"), filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, path+".next"); err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{strings.Repeat("long", 100), "short"} {
		if err := replaceFile(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := readFile(path); err != nil || string(got) != content {
			t.Errorf("%q, %v", got, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got, _ := os.ReadFile(victim); string(got) != "mine" {
		t.Errorf("a link was followed: %q", got)
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("%d files are left", len(files))
	}
	if err := replaceFile(filepath.Join(dir, "none", "x"), nil); err == nil {
		t.Error("a folder that isn't there")
	}
}
