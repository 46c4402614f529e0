package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/tests/harness"
)

const (
	gib   = 1 << 30
	slack = 2 * gib // that others may write meanwhile
)

// TestFullDisk takes the disk under the reserve: no decision can be recorded
// then, so nothing is answered and nothing happens, until there is room again.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	free := must(store.FreeDisk(dir))(t)
	if free < 4*slack {
		t.Skipf("skipped: only %d MiB of disk are free", free>>20)
	}
	s := harness.Start(t, harness.Options{Args: []string{fmt.Sprintf("--disk-reserve=%d", (free-slack)>>20)}})
	balance := func() (*harness.Answer, error) { return s.Get("/api/points?customer_id=cus_alice", s.Demo.ViewerToken) }
	fill := filepath.Join(dir, "fill")
	allocate(t, fill, 2*slack)
	until(t, func() bool { return must(balance())(t).Code() == "audit_unavailable" })
	a := must(s.Post("/api/points/redeem", s.Demo.ManagerToken, order{Customer: "cus_alice", Points: 1, Reason: "no room"}))(t)
	if a.Status != 503 || a.Code() != "audit_unavailable" {
		t.Errorf("a redemption on a full disk: %s", a)
	}
	if a := must(s.Get("/api/points", ""))(t); a.Status != 503 {
		t.Errorf("a denial that can't be recorded: %s", a)
	}
	if strings.Contains(a.String(), "reserve") || !strings.Contains(s.Log(), "--disk-reserve") {
		t.Errorf("the reserve is for the log alone, not for a caller: %s", a)
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return must(balance())(t).Status == 200 })
	if points := ledgerAgrees(t, s, "cus_alice"); points != 1200 {
		t.Errorf("want nothing to have happened, got %d points", points)
	}
}

func allocate(t *testing.T, path string, size int64) {
	t.Helper()
	f := must(os.Create(path))(t)
	defer f.Close()
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		t.Skipf("skipped: this file system can't allocate without writing: %v", err)
	}
}
