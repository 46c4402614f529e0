package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestKeysOfSigningKeysAreRead(t *testing.T) {
	a, b := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	for name, tc := range map[string]struct {
		environment map[string]string
		files       [2]string // key, previous
		rotation    time.Duration
		want        string // the seals, by their first byte; m is the derived one
		refused     string
	}{
		"none":                    {want: "m"},
		"a variable":              {environment: map[string]string{keyVariable: a}, want: "ab m"},
		"a file":                  {files: [2]string{a}, want: "ab m"},
		"two files":               {files: [2]string{a, b}, want: "ab cd m"},
		"two variables":           {environment: map[string]string{keyVariable: a, previousKeyVariable: b}, want: "ab cd m"},
		"back to the derived one": {files: [2]string{"", b}, want: "m cd"},
		"no more rotation":        {rotation: -1, want: "m"},
		"a file and a variable":   {environment: map[string]string{keyVariable: a}, files: [2]string{a}, refused: "key-file and POINTGATE_KEY are both given"},
		"an empty variable":       {environment: map[string]string{keyVariable: ""}, refused: "POINTGATE_KEY: want 64 hexadecimal digits"},
		"a short variable":        {environment: map[string]string{keyVariable: a[2:]}, refused: "POINTGATE_KEY: want 64 hexadecimal digits"},
		"a short file":            {files: [2]string{a[2:]}, refused: "key-file: "},
		"a rotation too fast":     {rotation: time.Hour, refused: "key-rotation: want 24h0m0s or more, or 0"},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range tc.environment {
				t.Setenv(k, v)
			}
			c := defaultConfig()
			for i, to := range []*string{&c.KeyFile, &c.PreviousKeyFile} {
				if tc.files[i] != "" {
					*to = filepath.Join(t.TempDir(), "key")
					writeFile(t, *to, tc.files[i]+"\n")
				}
			}
			if tc.rotation != 0 {
				c.KeyRotation = max(0, tc.rotation)
			}
			err := c.check()
			if tc.refused != "" {
				wantExit(t, err, exitUsage, tc.refused)
				if strings.Contains(err.Error(), a[:16]) {
					t.Errorf("it tells the key: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			master := bytes.Repeat([]byte{7}, 32)
			for _, k := range c.keySeals(master) {
				got = append(got, hex.EncodeToString(k[:1]))
				if bytes.Equal(k, derive(master, "signing keys")) {
					got[len(got)-1] = "m"
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("seals %v, want %s", got, tc.want)
			}
		})
	}
}

// TestTheKeyOfSigningKeysMoves out of the data folder by being given, and a start
// without it is refused from then on. No backup ever has it.
func TestTheKeyOfSigningKeysMoves(t *testing.T) {
	c := startable(t)
	if err := serveOnce(t, c); err != nil {
		t.Fatal(err)
	}
	makeKeys(t, c)
	doctor := func(code int, part string, args ...string) {
		t.Helper()
		if o := want(t, code, append([]string{"doctor", "--data", c.Data}, args...)...); !strings.Contains(o.out, part) {
			t.Errorf("it says\n%snot %q", o.out, part)
		}
	}
	doctor(exitDone, "warn  token keys  1 signing keys open with a key that is derived from the master secret; "+c.SecretFile+" lies in the data folder")
	file := filepath.Join(t.TempDir(), "signing.key")
	digits := strings.Repeat("0123456789abcdef", 4)
	writeFile(t, file, digits)
	given := *c
	given.KeyFile = file
	if err := given.check(); err != nil {
		t.Fatal(err)
	}
	if err := serveOnce(t, &given); err != nil {
		t.Fatal(err)
	}
	doctor(exitDone, "ok    token keys  1 signing keys open with the key of "+file, "--key-file", file)
	doctor(exitCheck, "FAIL  token keys  signing keys can't be opened")
	wantExit(t, serveOnce(t, c), exitUsage, "can't be opened", "key-file or POINTGATE_KEY", "--new-signing-keys")

	copied := filepath.Join(t.TempDir(), "copy.db")
	want(t, exitDone, "backup", copied, "--data", c.Data)
	raw, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	key, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	master, err := readSecret(c.SecretFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string][]byte{
		"the key": key, "its digits": []byte(digits), "the master secret": master, "its digits too": []byte(hex.EncodeToString(master)),
		"the derived key": derive(master, "signing keys"), "a private key": {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}, // prime256v1 in PKCS #8
	} {
		if bytes.Contains(raw, secret) {
			t.Errorf("the backup has %s", name)
		}
	}
	c.NewSigningKeys = true
	if err := serveOnce(t, c); err != nil {
		t.Errorf("with new keys: %v", err)
	}
}

// makeKeys makes the first signing key, as a server that runs does.
func makeKeys(t *testing.T, c *Config) {
	t.Helper()
	master, err := readSecret(c.SecretFile)
	if err != nil {
		t.Fatal(err)
	}
	db := storetest.Open(t, store.Options{Dir: c.Data})
	defer db.Close()
	p, err := oauth2.New(oauth2.Config{Store: db, Secret: derive(master, "tokens"), SealKey: derive(master, "seal"), KeySeals: c.keySeals(master)})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	tenants, err := store.Tenants(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := oauth2.CheckKeys(ctx, db, time.Now(), c.keySeals(master)); n > 0 || err != nil {
		return // the server was faster
	}
	fresh, err := p.FreshKeys(tenants[0].ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Write(t, db, func(tx *store.Tx) error { return p.RotateKeys(ctx, tx, fresh, 0) })
}

func TestTheKeyOfSigningKeysIsNoSettingThatIsTold(t *testing.T) {
	c := defaultConfig()
	c.key = bytes.Repeat([]byte{5}, 32)
	with, err := settingsDigest(c)
	if err != nil {
		t.Fatal(err)
	}
	without, err := settingsDigest(defaultConfig())
	if err != nil || with != without {
		t.Errorf("the digest has the key: %v", err)
	}
	if !slices.Equal(strayVariables(newServeCommand().Flags(), []string{keyVariable + "=", previousKeyVariable + "=", "POINTGATE_KEYS="}), []string{"POINTGATE_KEYS"}) {
		t.Error("its variables are not known")
	}
}
