package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/pointgate/pointgate/tests/harness"
)

// leastTrail is the part of the throughput that hashing and proving must leave.
const leastTrail = 0.8

// benchTrail loads the program and a build of it that does not hash its log, in
// turns: what the tree, its checkpoints and its proofs cost.
func benchTrail(each time.Duration, rounds int) error {
	scratch, err := os.MkdirTemp("", "pointgate-trail-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	var all [][]*benchCase // per build: reads, then writes
	for _, build := range []struct{ name, tags string }{{"without hashing", "nohash"}, {"hashed and proven", ""}} {
		path := filepath.Join(scratch, "pointgate"+build.tags)
		if err := harness.Build(path, "-tags", build.tags); err != nil {
			return err
		}
		s, err := harness.Launch(scratch, harness.Options{Unchecked: true, Program: path, Dir: filepath.Join(scratch, "data"+build.tags)})
		if err != nil {
			return err
		}
		defer s.Kill()
		c, err := cases(s, server{})
		if err != nil {
			return err
		}
		c = c[1:] // without the bare handler
		for _, one := range c {
			one.name += ", " + build.name
		}
		all = append(all, c)
	}
	return compareTrail(all[0], all[1], each, rounds)
}

// compareTrail measures each case of both builds in turns.
func compareTrail(without, with []*benchCase, each time.Duration, rounds int) error {
	for round := range rounds {
		for i := range with {
			pair := []*benchCase{without[i], with[i]}
			if round%2 == 1 {
				slices.Reverse(pair) // who is second has the fuller page cache
			}
			for _, c := range pair {
				m, err := c.measure(each)
				if err != nil {
					return fmt.Errorf("%s: %w", c.name, err)
				}
				c.rounds = append(c.rounds, m)
			}
		}
	}
	for i := range with {
		if err := report([]*benchCase{without[i], with[i]}); err != nil {
			return err
		}
		if ratio := with[i].ratio(without[i]); ratio < leastTrail {
			return fmt.Errorf("%s keeps %.2f of the throughput, want %.2f", with[i].name, ratio, leastTrail)
		}
	}
	return nil
}
