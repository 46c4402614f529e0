package web

import "testing"

func TestNetwork(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.1":             "192.0.2.1",
		"2001:db8:1:2:3:4:5:6":  "2001:db8:1:2::/64",
		"2001:db8:1:2::1":       "2001:db8:1:2::/64",
		"2001:db8:1:3::1":       "2001:db8:1:3::/64",
		"fe80::1%eth0":          "fe80::/64",
		"::ffff:192.0.2.1":      "::ffff:192.0.2.1",
		"not an address at all": "not an address at all",
		"":                      "",
	} {
		if got := Network(ip); got != want {
			t.Errorf("%q: %q, want %q", ip, got, want)
		}
	}
}
