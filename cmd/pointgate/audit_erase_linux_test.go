package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/pointgate/pointgate/store"
)

// terminal is a new terminal on which somebody has typed a line.
func terminal(t *testing.T, typed string) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("skipped: no terminals here: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	var n, locked int32
	for request, arg := range map[uintptr]*int32{syscall.TIOCSPTLCK: &locked, syscall.TIOCGPTN: &n} {
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(arg))); e != 0 {
			t.Fatal(e)
		}
	}
	slave, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = slave.Close() })
	if _, err := master.WriteString(typed + "\n"); err != nil {
		t.Fatal(err)
	}
	return slave
}

// TestAnErasureAsksFirst: on a terminal, with how many records it would be.
func TestAnErasureAsksFirst(t *testing.T) {
	i := newInstallation(t)
	userAt(i, 1)
	stdin := os.Stdin
	t.Cleanup(func() { os.Stdin = stdin })
	asked := 0
	for _, c := range []struct {
		typed string
		code  int
	}{{"", exitRefused}, {"n", exitRefused}, {"yesterday", exitRefused}, {"Y", exitDone}, {" yes ", exitDone}} {
		os.Stdin = terminal(t, c.typed)
		o := want(t, c.code, "audit", "erase", "--subject", "cus_001", "--reason", "a letter")
		if !strings.Contains(o.err, "0 records of ") || !strings.Contains(o.err, "[y/N]") {
			t.Errorf("it asks %q", o.err)
		}
		if c.code == exitDone {
			asked++
		}
		all, err := store.Erasures(context.Background(), i.db, store.ErasureFilter{Tenant: "main", Limit: 10})
		if err != nil || len(all) != asked {
			t.Errorf("after %q: %d erasures, want %d; %v", c.typed, len(all), asked, err)
		}
	}
}
