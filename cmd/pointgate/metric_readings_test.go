package main

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/server"
	"github.com/pointgate/pointgate/server/audit"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// picky is a sink that takes chunks and rejects what is in them.
type picky struct{}

func (picky) Name() string                               { return "picky" }
func (picky) Send(context.Context, []store.Record) error { return nil }
func (picky) Rejected() int64                            { return 7 }

func TestFollowersTellWhatFailed(t *testing.T) {
	db, m := storetest.SQLite(t), newMetrics()
	m.followers(&server.Followers{
		Pushes: []*audit.Push{{Store: db, Sink: picky{}}}, Eraser: &audit.Eraser{Store: db}, Retainer: &audit.Retainer{Store: db},
	})
	const want = `pointgate_erasure_failures_total 0
pointgate_push_rejected_total{sink="picky"} 7
pointgate_retention_failures_total 0
`
	if diff := cmp.Diff(want, scraped(m, "pointgate_erasure_failures_total", "pointgate_retention_failures_total", "pointgate_push_rejected_total")); diff != "" {
		t.Error(diff)
	}
	m = newMetrics()
	m.emptying(func() int64 { return 1 }, func() int64 { return 2 })
	const failed = "pointgate_erasure_failures_total 1\npointgate_retention_failures_total 2\n"
	if diff := cmp.Diff(failed, scraped(m, "pointgate_erasure_failures_total", "pointgate_retention_failures_total")); diff != "" {
		t.Error(diff)
	}
}
