package store

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

// countAll counts each of the values, and the others.
func (t *tally) countAll(v *indexView, chunks []int64, position int64) error {
	t.n = make([][]step, len(t.values)+1)
	for i := range t.n {
		t.n[i] = make([]step, t.steps)
	}
	number := map[string]int{}
	for i, value := range t.values {
		number[value] = i
	}
	for _, r := range t.tail {
		named := false
		for _, value := range r.values {
			if i, ok := number[value]; ok {
				t.n[i][r.step].add(r.allow)
				named = true
			}
		}
		if !named {
			t.n[len(t.values)][r.step].add(r.allow)
		}
	}
	return t.countChunks(v, chunks, position)
}

func (s *step) add(allow bool) {
	s.all++
	if allow {
		s.allowed++
	}
}

// countChunks counts by the index: filter, allowed and values are sets of each
// chunk.
func (t *tally) countChunks(v *indexView, chunks []int64, position int64) error {
	filter := t.Filter.keys(&v.keys)
	keys := append(filter[:len(filter):len(filter)], v.keys.key(fieldAllow, t.Filter.Tenant, strconv.FormatBool(true)))
	for _, value := range t.values {
		keys = append(keys, v.keys.key(t.by, t.Filter.Tenant, value))
	}
	for len(chunks) > 0 {
		some, rest := take(chunks, max(1, mostSets/len(keys)), false)
		chunks = rest
		sets, err := v.sets(some, keys)
		if err != nil {
			return err
		}
		calendars, err := t.calendars(v, some)
		if err != nil {
			return err
		}
		for _, c := range some {
			matching := conjunction(sets[c][:len(filter)])
			if matching == nil {
				continue
			}
			clip(matching, position-c<<chunkBits)
			allowed := sets[c][len(filter)].bitmap()
			if allowed == nil {
				allowed = new(bitmap)
			}
			k := calendars[c]
			others := *matching
			for i, set := range sets[c][len(filter)+1:] {
				k.count(t.n[i], set, matching, allowed, &others)
			}
			k.countAll(t.n[len(t.values)], &others, allowed)
		}
	}
	return nil
}

// clip takes away the numbers from n on.
func clip(m *bitmap, n int64) {
	if n < chunkSize {
		var below bitmap
		below.fill(0, int(n))
		m.and(&below)
	}
}

// calendar is the steps of time that a chunk's records are in.
type calendar struct {
	spans [chunkSize / spanSize]int   // the step that all of a span is in, -1: none that is asked for, or mixed
	exact [chunkSize / spanSize][]int // of those that are mixed: each record's
}

const mixed = -2

// calendars makes those of chunks; times of single records are read only where a
// span has more than one step in it.
func (t *tally) calendars(v *indexView, chunks []int64) (map[int64]*calendar, error) {
	var rows []chunkRow
	if err := v.read(&rows, `SELECT chunk, times FROM search_chunks WHERE chunk IN (`+numbers(chunks)+`)`); err != nil {
		return nil, err
	}
	if len(rows) != len(chunks) {
		return nil, errIndex
	}
	out := map[int64]*calendar{}
	var unclear []int64
	for i := range rows {
		spans, err := rows[i].times()
		if err != nil {
			return nil, err
		}
		c := new(calendar)
		for j, s := range spans {
			if meets, _ := t.Filter.meets(&s); !meets {
				c.spans[j] = -1
			} else if c.spans[j] = t.stepOf(s.from); c.spans[j] < 0 || c.spans[j] != t.stepOf(s.to) {
				c.spans[j] = mixed
				unclear = append(unclear, rows[i].Chunk<<(chunkBits-spanBits)|int64(j))
			}
		}
		for j := len(spans); j < len(c.spans); j++ {
			c.spans[j] = -1
		}
		out[rows[i].Chunk] = c
	}
	return out, t.resolve(v, out, unclear)
}

func (t *tally) resolve(v *indexView, calendars map[int64]*calendar, unclear []int64) error {
	if len(unclear) == 0 {
		return nil
	}
	var rows []struct {
		Span int64  `db:"span"`
		At   []byte `db:"at"`
	}
	if err := v.read(&rows, `SELECT span, at FROM search_times WHERE span IN (`+numbers(unclear)+`)`); err != nil {
		return err
	}
	if len(rows) != len(unclear) {
		return errIndex
	}
	for _, r := range rows {
		at, err := unpackTimes(r.Span, r.At)
		if err != nil {
			return err
		}
		steps := make([]int, spanSize)
		for i := range steps {
			steps[i] = -1
		}
		for i, micros := range at {
			steps[i] = t.stepOf(micros)
		}
		const mask = chunkSize/spanSize - 1
		calendars[r.Span>>(chunkBits-spanBits)].exact[r.Span&mask] = steps
	}
	return nil
}

// step is the step of time that a record is in; negative for none.
func (c *calendar) step(low int) int {
	at := c.spans[low>>spanBits]
	if at == mixed {
		return c.exact[low>>spanBits][low&(spanSize-1)]
	}
	return at
}

// count adds the matching records of a set to the steps that they are in, and
// takes them off the others.
func (c *calendar) count(n []step, set packedSet, matching, allowed, others *bitmap) {
	if set.n > longestList {
		m := set.bitmap()
		m.and(matching)
		others.andNot(m)
		c.countAll(n, m, allowed)
		return
	}
	for b := set.b; len(b) >= 2; b = b[2:] {
		low := int(binary.LittleEndian.Uint16(b))
		if !matching.has(low) {
			continue
		}
		others[low/64] &^= 1 << (low % 64)
		if at := c.step(low); at >= 0 {
			n[at].add(allowed.has(low))
		}
	}
}

func (c *calendar) countAll(n []step, set, allowed *bitmap) {
	const words = spanSize / 64
	for i, at := range c.spans {
		if at == -1 {
			continue
		}
		for j := i * words; j < (i+1)*words; j++ {
			w := set[j]
			if at >= 0 {
				n[at].all += int64(bits.OnesCount64(w))
				n[at].allowed += int64(bits.OnesCount64(w & allowed[j]))
				continue
			}
			for ; w != 0; w &= w - 1 {
				low := j*64 + bits.TrailingZeros64(w)
				if s := c.step(low); s >= 0 {
					n[s].add(allowed.has(low))
				}
			}
		}
	}
}
