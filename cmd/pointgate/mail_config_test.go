package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"
)

func loadedMail(t *testing.T, args ...string) (*Config, error) {
	t.Helper()
	c, fs := defaultConfig(), pflag.NewFlagSet("serve", pflag.ContinueOnError)
	c.bind(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return c, loadConfig(c, fs, "")
}

func TestMailSettings(t *testing.T) {
	for _, c := range []struct {
		args, from string
		to         []string
	}{
		{"", `"Pointgate" <pointgate@localhost>`, nil},
		{"--demo", `"Pointgate" <pointgate@localhost>`, []string{"admin@demo.example"}},
		{"--demo --alert-mail-to a@b.example", `"Pointgate" <pointgate@localhost>`, []string{"a@b.example"}},
		{"--public-url http://shop.localhost", `"Pointgate" <pointgate@shop.localhost>`, nil},
		{"--smtp-url smtps://u:p@mail.example --mail-from p@shop.example --alert-mail-to a@b.example,c@d.example", "<p@shop.example>", []string{"a@b.example", "c@d.example"}},
	} {
		t.Run(c.args, func(t *testing.T) {
			got, err := loadedMail(t, strings.Fields(c.args)...)
			if err != nil {
				t.Fatal(err)
			}
			from, err := got.mailSender()
			if diff := cmp.Diff(c.to, got.AlertMailTo, cmpopts.EquateEmpty()); diff != "" || err != nil || from.String() != c.from {
				t.Errorf("from %v, %v; to %s", from, err, diff)
			}
		})
	}
}

func TestMailSettingsThatAreRefused(t *testing.T) {
	for args, want := range map[string]string{
		"--smtp-url smtps://mail.example":                                       "smtp-url needs mail-from",
		"--smtp-url http://u:secret@mail.example --mail-from a@b.example":       "smtp-url: want smtp://",
		"--smtp-url smtp+insecure://u:secret@m.example --mail-from a@b.example": "password in clear",
		"--mail-from nobody":                                    "mail-from: ",
		"--alert-mail-to a@b.example,nobody":                    "alert-mail-to: ",
		"--alert-mail-to A<a@b.example>":                        "alert-mail-to: ",
		"--smtp-url smtp://u@m.example --mail-from a@b.example": "go together",
	} {
		t.Run(args, func(t *testing.T) {
			_, err := loadedMail(t, strings.Fields(args)...)
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %q", err, want)
			}
		})
	}
}
