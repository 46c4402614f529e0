package policies

import (
	"testing"
	"time"
)

// sample is a customer who reads the own balance through an app.
func sample() *Request {
	return &Request{
		Subject:  Subject{Type: "customer", ID: "cus_alice", Tenant: "demo"},
		Action:   "points.read",
		Resource: Resource{Type: "points_account", ID: "cus_alice", Owner: "cus_alice", Tenant: "demo"},
		Context: Context{
			Method: "oauth2", Status: "valid", Age: 12, AMR: []string{"pwd"}, ACR: "urn:pointgate:acr:1fa", ClientID: "demo-web",
			Scopes: []string{"points:read", "points:write"}, Tenant: "demo", Home: true,
			RequestID: "0123456789abcdef", HTTP: "GET", Path: "/api/points", IP: "127.0.0.1",
			Time: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
		},
	}
}

func BenchmarkDecide(b *testing.B) {
	e := open(b, Embedded())
	deny := sample()
	deny.Resource.Owner = "cus_bob"
	adjust := sample()
	staff("manager")(adjust)
	adjust.Action = "points.adjust"
	adjust.Context.Scopes = []string{"points:read", "points:write", "points:adjust"}
	adjust.Context.Facts = Facts{"points": int64(-5), "adjusted_today": int64(100)}
	for _, c := range []struct {
		name string
		r    *Request
		code string
	}{{"read", sample(), "ok"}, {"not_owner", deny, "not_owner"}, {"adjust", adjust, "ok"}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var eval int64
			for b.Loop() {
				d := decide(b, e, c.r)
				if eval += d.EvalNS; d.Code != c.code {
					b.Fatal(d.Code)
				}
			}
			b.ReportMetric(float64(eval)/float64(b.N), "eval-ns/op")
		})
	}
}
