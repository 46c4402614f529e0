package gate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
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

// TestAnErrorSaysNothingThatIsMasked: its message may quote anything, also where
// there was no decision yet and so nothing to mask in the input.
func TestAnErrorSaysNothingThatIsMasked(t *testing.T) {
	for pointer, kept := range map[string]bool{
		"/input/context/authentication/amr": true, // no message quotes it
		"/input/subject/id":                 false, "/input/resource/id": false, "/input/resource/properties/owner": false,
		"/input/context/client/id": false, "/input/context/request/path": false, "/input/context/request/ip": false,
	} {
		e := newEnv(t, storetest.SQLite(t))
		e.Mask = masking{pointer: ""}
		op := marks(done)
		op.Facts = func(context.Context, store.Reader, *gate.Call, *struct{}) (policies.Resource, policies.Facts, error) {
			return policies.Resource{}, nil, errors.New("no row of cus_b for pgt_abcdefghijklmnopqrstuvwxyz")
		}
		r := e.request()
		if a := gate.Do(context.Background(), e.Gate, op, r); a.Code != "store_unavailable" {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		var body struct {
			Erased []string
			Error  map[string]string
		}
		rec := e.record(t, r)
		if err := json.Unmarshal(rec.Body, &body); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"code": "store_unavailable"}
		if kept {
			want["message"] = "no row of cus_b for pgt_…"
		}
		if d := cmp.Diff(want, body.Error); d != "" || slices.Contains(body.Erased, "/error/message") == kept {
			t.Errorf("%s: erased %v %s", pointer, body.Erased, d)
		}
	}
}

// TestColumnsSayWhatTheBodySays, also of what no JSON can hold: else a
// verification would take the record for one that was tampered with.
func TestColumnsSayWhatTheBodySays(t *testing.T) {
	engine, err := policies.Open(policies.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	const bad = "a\xff\xfe\xc3b\xe2\x82"
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		e := newEnv(t, db)
		e.Policy = engine
		r := e.request()
		r.Caller.ID, r.Caller.ClientID, r.Caller.GrantID, r.Origin.IP = bad+"1", bad+"2", bad+"3", bad+"4"
		op := marks(done)
		op.Facts = func(_ context.Context, _ store.Reader, c *gate.Call, _ *struct{}) (policies.Resource, policies.Facts, error) {
			c.Related = bad + "5"
			return policies.Resource{Type: "points_account", ID: bad + "6"}, nil, nil
		}
		gate.Do(context.Background(), e.Gate, op, r)
		ev := reuse()
		ev.Subject.ID, ev.Client, ev.Grant, ev.Request.IP, ev.Related, ev.Resource.ID = bad+"1", bad+"2", bad+"3", bad+"4", bad+"5", bad+"6"
		for name, rec := range map[string]*store.Record{"decision": e.record(t, r), "event": events(nil, nil).Record(ev)} {
			var body struct {
				IP    string `json:"requested_by"`
				Input struct {
					Subject, Resource struct{ ID string }
					Context           struct{ Client struct{ ID string } }
				}
				Custom struct{ Grant, Related string }
			}
			if err := json.Unmarshal(rec.Body, &body); err != nil {
				t.Fatal(err)
			}
			in := body.Input
			says := [6]string{in.Subject.ID, in.Context.Client.ID, body.Custom.Grant, body.IP, body.Custom.Related, in.Resource.ID}
			if d := cmp.Diff([6]string{rec.Subject, rec.Client, rec.Grant, rec.IP, rec.Related, rec.Resource}, says); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			if rec.Subject != "a\uFFFDb\uFFFD1" {
				t.Errorf("%s: the subject is %q", name, rec.Subject)
			}
		}
	})
}
