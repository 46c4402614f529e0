package gate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// masking replaces by pointer; "" leaves out.
type masking map[string]string

func (m masking) Value(pointer, _ string) (string, bool) {
	replacement, masked := m[pointer]
	return replacement, masked
}

// TestNothingMaskedIsInARecord: neither in its body nor in what lists show, and
// it says what is missing.
func TestNothingMaskedIsInARecord(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		e := newEnv(t, db)
		e.Mask = masking{"/requested_by": "", "/input/subject/id": "pn_subject", "/input/resource/id": "pn_resource", "/custom/related": "pn_related"}
		r := e.request()
		r.Origin.IP = "192.0.2.77"
		op := marks(done)
		facts := op.Facts
		op.Facts = func(ctx context.Context, s store.Reader, c *gate.Call, in *struct{}) (policies.Resource, policies.Facts, error) {
			c.Related = "cus_other"
			return facts(ctx, s, c, in)
		}
		if a := gate.Do(context.Background(), e.Gate, op, r); a.Status != 201 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		rec := e.record(t, r)
		for _, secret := range []string{"cus_a", "cus_other", "192.0.2.77"} {
			if bytes.Contains(rec.Body, []byte(secret)) {
				t.Errorf("%s is in %s", secret, rec.Body)
			}
		}
		columns := [4]string{rec.Subject, rec.Resource, rec.Related, rec.IP}
		if d := cmp.Diff([4]string{"pn_subject", "pn_resource", "pn_related", ""}, columns); d != "" {
			t.Error(d)
		}
		var says struct{ Erased, Masked []string }
		if err := json.Unmarshal(rec.Body, &says); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"/requested_by"}, says.Erased); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"/custom/related", "/input/resource/id", "/input/subject/id"}, says.Masked); d != "" {
			t.Error(d)
		}
	})
}
