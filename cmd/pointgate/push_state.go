package main

import (
	"context"

	"github.com/pointgate/pointgate/server"
)

// pushState tells how each push of the log is doing, for metrics.
func pushState(f *server.Followers) func(context.Context) ([]sinkState, error) {
	return func(ctx context.Context) ([]sinkState, error) {
		all := make([]sinkState, 0, len(f.Pushes))
		for _, p := range f.Pushes {
			s := sinkState{Sink: p.Sink.Name(), Failures: p.Failures()}
			_, s.Stuck = p.Stuck()
			var err error
			if s.Records, s.Age, err = p.Lag(ctx); err != nil {
				return nil, err
			}
			all = append(all, s)
		}
		return all, nil
	}
}
