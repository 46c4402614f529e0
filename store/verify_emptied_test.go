package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// told is an event of the log about its own records.
func told(db *store.DB, id, tenant, action, custom string) *store.Record {
	at := store.At(db.Now())
	return &store.Record{
		ID: id, At: at, Tenant: tenant, Action: action, Allow: true, Code: "ok", Status: 202,
		Body: fmt.Appendf(nil, `{"decision_id":%q,"timestamp":%q,"requested_by":"","input":{"action":{"name":%q}},"result":{"allow":true},"custom":{%s"tenant":%q,"status":202,"code":"ok"}}`,
			id, at.Format("2006-01-02T15:04:05.000000Z"), action, custom, tenant),
	}
}

// TestVerifyAccountsForWhatIsEmptied: a record without content needs a sound
// record that says why, and no other excuse is taken.
func TestVerifyAccountsForWhatIsEmptied(t *testing.T) {
	finish := func(id, tenant string, size, records int) func(db *store.DB) *store.Record {
		return func(db *store.DB) *store.Record {
			return told(db, "fin-"+id, tenant, "erasure.finish", fmt.Sprintf(`"erasure":%q,"size":%d,"records":%d,`, id, size, records))
		}
	}
	retain := func(to, records int, before time.Duration) func(db *store.DB) *store.Record {
		return func(db *store.DB) *store.Record {
			return told(db, "ret", "t", "trail.retain", fmt.Sprintf(`"from":0,"to":%d,"records":%d,"before":%q,`, to, records, db.Now().UTC().Add(before).Format(time.RFC3339Nano)))
		}
	}
	for name, tc := range map[string]struct {
		says   []func(db *store.DB) *store.Record
		tamper func(m tamperer)
		want   string
	}{
		"an erasure": {[]func(*store.DB) *store.Record{finish("e", "t", 600, 2)},
			func(m tamperer) { m.empty(301, "e"); m.empty(401, "e") }, ""},
		"one more than it emptied": {[]func(*store.DB) *store.Record{finish("e", "t", 600, 1)},
			func(m tamperer) { m.empty(301, "e"); m.empty(401, "e") }, `indexes 301 to 401: emptied by the decision "e", which emptied 1; here are 2`},
		"a record behind it": {[]func(*store.DB) *store.Record{finish("e", "t", 301, 1)},
			func(m tamperer) { m.empty(301, "e") }, "index 301: emptied by the decision \"e\", which was about records below 301"},
		"another tenant's erasure": {[]func(*store.DB) *store.Record{finish("e", "other", 600, 1)},
			func(m tamperer) { m.empty(301, "e") }, "index 301: emptied by the decision \"e\", which was about another tenant"},
		"allowed, and not carried out": {[]func(*store.DB) *store.Record{func(db *store.DB) *store.Record { return told(db, "e", "t", "erasure.create", "") }},
			func(m tamperer) { m.empty(301, "e") }, "which the log does not say was carried out"},
		"an emptied record that excuses itself": {nil, func(m tamperer) {
			m.empty(301, "id-000301")
			r := m.row(301)
			r.Keys = []byte(strings.Replace(string(r.Keys), "\x0bpoints.read", "\x0eerasure.create", -1))
			m.put(r)
		}, `index 301: emptied by the decision "id-000301", which the log does not have`},
		"the retention": {[]func(*store.DB) *store.Record{retain(3, 3, time.Hour)},
			func(m tamperer) { m.empty(0, ""); m.empty(1, ""); m.empty(2, "") }, ""},
		"one more than it took": {[]func(*store.DB) *store.Record{retain(3, 2, time.Hour)},
			func(m tamperer) { m.empty(0, ""); m.empty(1, ""); m.empty(2, "") }, "indexes 0 to 2: 3 records are emptied by their age; the retention says 2"},
		"one behind it": {[]func(*store.DB) *store.Record{retain(3, 1, time.Hour)},
			func(m tamperer) { m.empty(301, "") }, "index 301: emptied, and neither an erasure nor the retention says so"},
		"one among records that are young": {[]func(*store.DB) *store.Record{retain(600, 1, -24*time.Hour)},
			func(m tamperer) { m.empty(301, "") }, "index 301: emptied as if its time were over"},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.EachOptions(t, func(t *testing.T, o store.Options) {
				db := storetest.Open(t, o)
				written(t, db)
				for _, says := range tc.says {
					if err := db.Append(background, says(db)); err != nil {
						t.Fatal(err)
					}
				}
				tc.tamper(tamperer{t, db})
				var all []string
				for _, f := range verify(t, o).Findings {
					all = append(all, f.String())
				}
				if got := strings.Join(all, "\n"); tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
					t.Errorf("found:\n%s\nwant %q", got, tc.want)
				}
			})
		})
	}
}
