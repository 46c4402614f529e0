package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// countedBy are the members of records that counts can be made by.
var countedBy = map[string]field{"code": fieldCode, "client": fieldClient, "subject": fieldSubject, "rule": fieldRule, "action": fieldAction}

// Counting asks how many decisions there were, by a member of them and over time.
type Counting struct {
	// Filter narrows; its Tenant, From and To are set. Its Prefix, Before, After,
	// Tail and Limit have no meaning here.
	Filter DecisionFilter
	By     string        // code, client, subject, rule or action
	Step   time.Duration // of time; steps begin at its multiples since 1970 UTC
	Limit  int           // how many values, those with the most decisions
}

// Count is how many decisions of one value were made in one step of time.
type Count struct {
	At    Time // when the step begins
	Value string
	// Other says that these are those with none of the values that are named:
	// rarer ones, or none.
	Other           bool
	Allowed, Denied int64
}

// maxSteps bounds the steps of time in one answer.
const maxSteps = 1000

// mostUnindexed is how many records counts read out of the log; with more,
// the index is being made and counts have to wait for it.
const mostUnindexed = 1 << 20

var errIndexing = errors.New("the search index is being made")

// CountDecisions counts, and sees all that was committed before it was called.
// Counts of zero are left out. They are exact. Which values are named is exact,
// too, but for subjects where there are more than a thousand records: one who
// has less than a thousandth of the tenant's in each 65,536 of the log may be
// among the others.
func (db *DB) CountDecisions(ctx context.Context, c Counting) ([]Count, error) {
	by, known := countedBy[c.By]
	f := &c.Filter
	if !known || c.Step <= 0 || c.Limit <= 0 || f.From.IsZero() || !f.From.Before(f.To.Time) || f.To.Sub(f.From.Time)/c.Step >= maxSteps {
		return nil, fmt.Errorf("%w: what to count", ErrInvalid)
	}
	f.Prefix = ""
	size, err := db.LogSize(ctx)
	if err != nil {
		return nil, err
	}
	var t *tally
	err = db.index.look(ctx, func(v *indexView) error {
		position := min(v.position, size)
		if size-position > mostUnindexed {
			return unavailable(errIndexing)
		}
		t = newTally(db, &c, by)
		if err := db.eachKeys(ctx, position, size, func(r *Record) error { t.note(r); return nil }); err != nil {
			return logError{err}
		}
		return t.count(v, position)
	})
	if err != nil {
		return nil, err
	}
	return t.counts(), nil
}

// tally counts. Values are numbered; the last number is that of the others.
type tally struct {
	*Counting
	db     *DB
	by     field
	origin int64 // when the first step begins, in microseconds
	steps  int
	values []string
	tail   []tailed // the matching records that are not in the index
	n      [][]step // by value
}

// step is one value's counts in one step of time.
type step struct{ all, allowed int64 }

// tailed is a record out of the log itself.
type tailed struct {
	values []string
	step   int
	allow  bool
}

func newTally(db *DB, c *Counting, by field) *tally {
	width := c.Step.Microseconds()
	origin := c.Filter.From.UnixMicro() / width * width
	return &tally{Counting: c, db: db, by: by, origin: origin, steps: int((c.Filter.To.UnixMicro()-1-origin)/width) + 1}
}

// stepOf is the step of a time; -1 for one that the filter does not hold for.
func (t *tally) stepOf(micros int64) int {
	if micros < t.Filter.From.UnixMicro() || micros >= t.Filter.To.UnixMicro() {
		return -1
	}
	return int((micros - t.origin) / t.Step.Microseconds())
}

func (t *tally) note(r *Record) {
	if !t.Filter.holds(r) {
		return
	}
	n := tailed{step: t.stepOf(r.At.UnixMicro()), allow: r.Allow}
	r.eachValue(func(f field, value string) {
		if f == t.by {
			n.values = append(n.values, value)
		}
	})
	t.tail = append(t.tail, n)
}

// count counts what the index has below position, and what was noted.
func (t *tally) count(v *indexView, position int64) (err error) {
	var chunks []int64
	if position > 0 {
		if chunks, _, err = v.chunks(&t.Filter, 0, position); err != nil {
			return err
		}
	}
	// Few records are read themselves: then no value is too rare to be named.
	few, err := t.few(v, chunks, position)
	if err != nil {
		return err
	}
	if few {
		chunks = nil
	}
	if err := t.choose(v, chunks); err != nil {
		return err
	}
	if err := t.countAll(v, chunks, position); err != nil {
		return err
	}
	if t.keep() && t.by == fieldRule {
		return t.countAll(v, chunks, position) // a record may have a rule that is named and one that is not
	}
	return nil
}

// fewRecords is how many are read one by one.
const fewRecords = 1024

// few notes the records of the index if they are few.
func (t *tally) few(v *indexView, chunks []int64, position int64) (bool, error) {
	if len(chunks) == 0 {
		return true, nil
	}
	f := t.Filter
	f.Tail = true
	at, err := v.candidates(&f, chunks[0]<<chunkBits, position, fewRecords+1)
	if err != nil || len(at) > fewRecords {
		return false, err
	}
	return true, t.db.headsAt(v.ctx, at, t.note)
}

// candidates is how many values are counted to find those with the most: those
// of the whole chunks need not be those of the filter.
func (t *tally) candidates() int {
	if t.by == fieldSubject {
		return max(2*t.Limit, 64)
	}
	return max(2*t.Limit, 512)
}

// keep drops the values beyond the limit, whose counts go to the others, and
// reports whether there were any.
func (t *tally) keep() bool {
	total := map[string]int64{}
	for i, value := range t.values {
		for _, s := range t.n[i] {
			total[value] += s.all
		}
	}
	order := make([]int, len(t.values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(total[t.values[b]], total[t.values[a]]) })
	others := t.n[len(t.values)]
	values, n := []string{}, [][]step{}
	for place, i := range order {
		if place < t.Limit && total[t.values[i]] > 0 {
			values, n = append(values, t.values[i]), append(n, t.n[i])
			continue
		}
		for j, s := range t.n[i] {
			others[j].all += s.all
			others[j].allowed += s.allowed
		}
	}
	dropped := len(values) < len(t.values)
	t.values, t.n = values, append(n, others)
	return dropped
}

func (t *tally) counts() (out []Count) {
	for i := range t.steps {
		at := fromMicros(t.origin + int64(i)*t.Step.Microseconds())
		for v, n := range t.n {
			if s := n[i]; s.all > 0 {
				c := Count{At: at, Other: v == len(t.values), Allowed: s.allowed, Denied: s.all - s.allowed}
				if !c.Other {
					c.Value = t.values[v]
				}
				out = append(out, c)
			}
		}
	}
	return out
}
