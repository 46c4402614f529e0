package store

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
)

// diskSpace watches the free space of the data folder, so that writes stop
// with a clear answer while there is still room for the database to finish.
type diskSpace struct {
	dir     string
	reserve int64
	isLow   atomic.Bool
	free    atomic.Int64 // as it was seen last
}

// low is nil while there is room. Its text is for who operates the machine: it
// is never in an answer.
func (d *diskSpace) low() error {
	if !d.isLow.Load() {
		return nil
	}
	return fmt.Errorf("%s has %d MiB free, less than the reserve of %d MiB that --disk-reserve keeps", d.dir, d.free.Load()>>20, d.reserve>>20)
}

func (d *diskSpace) watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			d.look()
		}
	}
}

func (d *diskSpace) look() {
	if d.reserve <= 0 || d.dir == "" {
		return
	}
	free, err := FreeDisk(d.dir)
	if err != nil {
		return // an unreadable folder shows itself in the write
	}
	d.free.Store(free)
	d.isLow.Store(free < d.reserve)
}

// FreeDisk is how many bytes an unprivileged process may still write in dir.
func FreeDisk(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil // Bsize has other types elsewhere
}
