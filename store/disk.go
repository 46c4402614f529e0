package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	errDiskReserve = errors.New("less disk is free than the reserve")
	errBadConn     = driver.ErrBadConn
)

// diskSpace watches the free space of the data folder, so that writes stop
// with a clear answer while there is still room for the database to finish.
type diskSpace struct {
	dir     string
	reserve int64
	isLow   atomic.Bool
}

func (d *diskSpace) low() bool { return d.isLow.Load() }

func (d *diskSpace) watch(ctx context.Context) {
	if d.reserve <= 0 || d.dir == "" {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		d.look()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (d *diskSpace) look() {
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &s); err != nil {
		return // an unreadable folder shows itself in the write
	}
	d.isLow.Store(int64(s.Bavail)*s.Bsize < d.reserve) //nolint:unconvert // Bsize's type differs by platform
}
