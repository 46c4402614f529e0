package main

import "testing"

func TestSettingsDigest(t *testing.T) {
	digest := func(edit func(c *Config)) string {
		t.Helper()
		c := defaultConfig()
		edit(c)
		d, err := settingsDigest(c)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	was := digest(func(*Config) {})
	for name, c := range map[string]struct {
		edit func(c *Config)
		same bool
	}{
		"nothing":              {func(*Config) {}, true},
		"a limit":              {func(c *Config) { c.Limits = "off" }, false},
		"a proxy":              {func(c *Config) { c.TrustedProxies = []string{"10.0.0.0/8"} }, false},
		"an inlined setting":   {func(c *Config) { c.DiskReserve = 1 }, false},
		"a database":           {func(c *Config) { c.Database = "postgres://db.example/pointgate" }, false},
		"the name of a secret": {func(c *Config) { c.SecretFile = "/etc/secret" }, false},
	} {
		if got := digest(c.edit); (got == was) != c.same {
			t.Errorf("%s: %s, was %s", name, got, was)
		}
	}
	plain := digest(func(c *Config) { c.Database = "postgres://db.example/pointgate" })
	for _, secret := range []string{
		"postgres://user:password@db.example/pointgate", "postgres://db.example/pointgate?user=a&password=b", "postgres://user:other@db.example/pointgate",
	} {
		if got := digest(func(c *Config) { c.Database = secret }); got != plain {
			t.Errorf("the digest of %s has its password", secret)
		}
	}
	if digest(func(c *Config) { c.Database = "postgres://%zz" }) == plain {
		t.Error("what is no URL reads like one")
	}
}
