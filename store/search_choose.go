package store

import (
	"cmp"
	"math/bits"
	"slices"
)

// choose picks the values that may be among those with the most decisions.
func (t *tally) choose(v *indexView, chunks []int64) (err error) {
	total := map[string]int64{}
	if len(chunks) > 0 {
		if total, err = t.rank(v, chunks); err != nil {
			return err
		}
	}
	for _, r := range t.tail {
		for _, value := range r.values {
			total[value]++
		}
	}
	t.values = t.values[:0]
	for value := range total {
		t.values = append(t.values, value)
	}
	slices.SortFunc(t.values, func(a, b string) int { return cmp.Or(cmp.Compare(total[b], total[a]), cmp.Compare(a, b)) })
	t.values = t.values[:min(len(t.values), t.candidates())]
	return nil
}

// mostRanked bounds the values of chunks that are compared.
const mostRanked = 16_384

// chunkValue is how often a chunk has a value.
type chunkValue struct {
	Chunk int64  `db:"chunk"`
	Value []byte `db:"value"`
	N     int64  `db:"n"`
}

// rank says which values the chunks have most, in the whole of each. Of those
// with few values all are counted anyway; of subjects, what the filter leaves of
// each has to be looked at: who is denied the most need not be who asks the most.
func (t *tally) rank(v *indexView, chunks []int64) (map[string]int64, error) {
	var found []chunkValue
	narrow := t.by == fieldSubject && t.Filter.narrows()
	query := `SELECT 0 AS chunk, value, SUM(n) AS n FROM search_values WHERE tenant = ? AND field = ? AND chunk >= ? AND chunk <= ?
		GROUP BY value ORDER BY SUM(n) DESC LIMIT ?`
	most := t.candidates()
	if narrow {
		query = `SELECT chunk, value, n FROM search_values WHERE tenant = ? AND field = ? AND chunk >= ? AND chunk <= ? ORDER BY n DESC LIMIT ?`
		most = mostRanked
	}
	err := v.read(&found, query, []byte(t.Filter.Tenant), int64(t.by), chunks[0], chunks[len(chunks)-1], most)
	if err == nil && narrow {
		err = t.rankByFilter(v, found)
	}
	total := map[string]int64{}
	for _, f := range found {
		if f.N > 0 {
			total[string(f.Value)] += f.N
		}
	}
	return total, err
}

// narrows reports whether the filter has more than tenant and time.
func (f *DecisionFilter) narrows() bool {
	return f.Allow != nil || f.Subject+f.Client+f.Action+f.Resource+f.Related+f.Code+f.Request+f.Grant+f.Rule != ""
}

// rankByFilter puts into n how many of them the filter leaves.
func (t *tally) rankByFilter(v *indexView, found []chunkValue) error {
	slices.SortFunc(found, func(a, b chunkValue) int { return cmp.Compare(a.Chunk, b.Chunk) })
	filter := t.Filter.keys(&v.keys)
	for len(found) > 0 {
		n := 1
		for n < len(found) && n < mostSets && found[n].Chunk == found[0].Chunk {
			n++
		}
		keys := slices.Clone(filter)
		for _, f := range found[:n] {
			keys = append(keys, v.keys.key(t.by, t.Filter.Tenant, string(f.Value)))
		}
		all, err := v.sets([]int64{found[0].Chunk}, keys)
		if err != nil {
			return err
		}
		sets := all[found[0].Chunk]
		matching := conjunction(sets[:len(filter)])
		for i := range found[:n] {
			found[i].N = 0
			if set := sets[len(filter)+i].bitmap(); set != nil && matching != nil {
				set.and(matching)
				found[i].N = set.count()
			}
		}
		found = found[n:]
	}
	return nil
}

func (m *bitmap) count() (n int64) {
	for _, w := range m {
		n += int64(bits.OnesCount64(w))
	}
	return n
}
