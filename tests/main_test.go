package tests

import (
	"testing"
	"time"

	"github.com/pointgate/pointgate/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// until asks until it is so, for ten seconds at most.
func until(t *testing.T, so func() bool) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(10 * time.Second); !so(); <-again.C {
		if time.Now().After(deadline) {
			t.Fatal("not in time")
		}
	}
}
