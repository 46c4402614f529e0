package server

import (
	"context"

	"github.com/pointgate/pointgate/server/audit"
	"github.com/pointgate/pointgate/server/gate"
)

// Followers bring the log to the outside, and take out of it what must not stay.
// They are there for metrics; the server runs them.
type Followers struct {
	Pushes   []*audit.Push // one for each sink
	Eraser   *audit.Eraser
	Retainer *audit.Retainer
}

func newFollowers(c *Config, events *gate.Events) *Followers {
	holder := c.Labels["id"]
	if c.Trail != nil {
		holder = c.Trail.Holder
	}
	f := &Followers{
		Eraser: &audit.Eraser{
			Store: c.Store, Events: events, Log: c.Log, Holder: holder,
			Aliases: func(person string) []string { return []string{c.Policy.Masked().Pseudonym(person)} },
		},
		Retainer: &audit.Retainer{Store: c.Store, Events: events, Log: c.Log, Now: c.Now, Keep: c.Retention, Home: c.Home, Holder: holder},
	}
	for _, s := range c.Sinks {
		f.Pushes = append(f.Pushes, &audit.Push{Store: c.Store, Log: c.Log, Sink: s, Holder: holder})
	}
	return f
}

func (f *Followers) loops() []func(context.Context) {
	all := []func(context.Context){f.Eraser.Run, f.Retainer.Run}
	for _, p := range f.Pushes {
		all = append(all, p.Run)
	}
	return all
}
