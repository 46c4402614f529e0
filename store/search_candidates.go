package store

// mostSets bounds the sets that are held at a time to 4 MiB.
const mostSets = 512

// candidates are indexes in [from, to) for which the filter's keys, time and
// prefix hold, at most n: the greatest first, or the least first with Tail.
func (v *indexView) candidates(f *DecisionFilter, from, to int64, n int) (out []int64, err error) {
	if from >= to {
		return nil, nil
	}
	chunks, within, err := v.chunks(f, from, to)
	if err != nil {
		return nil, err
	}
	keys := f.keys(&v.keys)
	for step := 4; len(chunks) > 0 && len(out) < n; step *= 4 {
		some, rest := take(chunks, min(step, mostSets/len(keys)), !f.Tail)
		chunks = rest
		sets, err := v.sets(some, keys)
		if err != nil {
			return nil, err
		}
		for _, c := range some {
			all := conjunction(sets[c])
			if all == nil || len(out) == n {
				continue
			}
			m := meeting{v: v, f: f, chunk: c}
			if within != nil && !within[c] {
				if err := m.narrow(all); err != nil {
					return nil, err
				}
			}
			all.each(!f.Tail, func(low int) bool {
				if i := c<<chunkBits + int64(low); i >= from && i < to && m.holds(low) {
					out = append(out, i)
				}
				return len(out) < n && m.err == nil
			})
			if m.err != nil {
				return nil, m.err
			}
		}
	}
	return out, nil
}

// meeting is where in a chunk the filter's time and prefix can be.
type meeting struct {
	v      *indexView
	f      *DecisionFilter
	chunk  int64
	unsure [chunkSize / spanSize]bool   // spans at an edge of time or prefix
	exact  [chunkSize / spanSize][]bool // of those that were read: for which records the filter holds
	err    error
}

// narrow takes off m the spans that are elsewhere.
func (g *meeting) narrow(m *bitmap) error {
	spans, err := g.v.spans(g.chunk, g.f.Prefix != "")
	if err != nil {
		return err
	}
	var near bitmap
	for i := range spans {
		if meets, within := g.f.meets(&spans[i]); meets {
			near.fill(i<<spanBits, (i+1)<<spanBits)
			g.unsure[i] = !within
		}
	}
	m.and(&near)
	return nil
}

// holds looks into the log where the index is unsure: all records of the span at
// once, because those next to each other are asked for next.
func (g *meeting) holds(low int) bool {
	i := low >> spanBits
	if !g.unsure[i] {
		return true
	}
	if g.exact[i] == nil {
		hold := make([]bool, 0, spanSize)
		first := g.chunk<<chunkBits + int64(i)<<spanBits
		err := g.v.db.eachKeys(g.v.ctx, first, min(first+spanSize, g.v.position), func(r *Record) error {
			hold = append(hold, g.f.holds(r))
			return nil
		})
		if err != nil {
			g.err = logError{err}
			return false
		}
		g.exact[i] = hold
	}
	return low&(spanSize-1) < len(g.exact[i]) && g.exact[i][low&(spanSize-1)]
}

// take takes n from the end of a list, the last first, or from its beginning.
func take(list []int64, n int, last bool) (some, rest []int64) {
	n = min(n, len(list))
	if !last {
		return list[:n], list[n:]
	}
	for i := range n {
		some = append(some, list[len(list)-1-i])
	}
	return some, list[:len(list)-n]
}

// conjunction is what all sets have; nil if that is nothing for sure.
func conjunction(sets []packedSet) *bitmap {
	for _, s := range sets {
		if s.n == 0 {
			return nil
		}
	}
	all := sets[0].bitmap()
	for _, s := range sets[1:] {
		all.and(s.bitmap())
	}
	return all
}
