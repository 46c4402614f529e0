package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server"
)

// KeyConfig is about the keys that sign tokens: their private halves are in the
// database, under a key that should be neither there nor beside it.
type KeyConfig struct {
	// KeyFile holds the 64 hexadecimal digits of the key under which the signing
	// keys are encrypted; it should not be in the data folder, and no backup has it.
	// The environment can hold the digits themselves: POINTGATE_KEY. Default
	// neither: the key is derived from the master secret.
	KeyFile string `yaml:"key_file"`
	// PreviousKeyFile holds the key before this one, while it is being replaced:
	// what it encrypts is encrypted anew at the start. Or POINTGATE_PREVIOUS_KEY.
	PreviousKeyFile string `yaml:"previous_key_file"`
	// NewSigningKeys makes a start, once, that can't open its signing keys: they
	// retire, and others are made.
	NewSigningKeys bool `yaml:"new_signing_keys"`
	// KeyRotation is how long a signing key signs before the next one does. Default
	// 2160h, which is 90 days; 0: until it is told to end.
	KeyRotation time.Duration `yaml:"key_rotation"`
}

// The variables that hold keys themselves. They are no flags: a command line is
// seen by all users of the machine.
const (
	keyVariable         = "POINTGATE_KEY"
	previousKeyVariable = "POINTGATE_PREVIOUS_KEY"
)

// leastRotation leaves time for the lead of a key, and for its tokens.
const leastRotation = 24 * time.Hour

func defaultKeyConfig() KeyConfig { return KeyConfig{KeyRotation: 90 * 24 * time.Hour} }

func bindKeyFlags(fs *pflag.FlagSet, c *KeyConfig) {
	fs.StringVar(&c.KeyFile, "key-file", c.KeyFile, "file of the key that encrypts signing keys (default: derived from the master secret)")
	fs.StringVar(&c.PreviousKeyFile, "previous-key-file", c.PreviousKeyFile, "file of the key before it, while it is replaced")
	fs.BoolVar(&c.NewSigningKeys, "new-signing-keys", c.NewSigningKeys, "for one start: replace signing keys that can't be opened")
	fs.DurationVar(&c.KeyRotation, "key-rotation", c.KeyRotation, "how long a signing key signs; 0: until it is told to end")
}

// checkKeys reads the keys that are given.
func (c *Config) checkKeys() (err error) {
	if c.KeyRotation != 0 && c.KeyRotation < leastRotation {
		return usage("key-rotation: want %s or more, or 0", leastRotation)
	}
	if c.key, err = readKey("key-file", c.KeyFile, keyVariable); err != nil {
		return err
	}
	c.previous, err = readKey("previous-key-file", c.PreviousKeyFile, previousKeyVariable)
	return err
}

// readKey reads a key from its file or its variable. No error holds any of it.
func readKey(flag, file, variable string) ([]byte, error) {
	digits, given := os.LookupEnv(variable)
	switch {
	case given && file != "":
		return nil, usage("%s and %s are both given", flag, variable)
	case given:
		key, err := hex.DecodeString(strings.TrimSpace(digits))
		if err != nil || len(key) != 32 {
			return nil, usage("%s: want 64 hexadecimal digits", variable)
		}
		return key, nil
	case file == "":
		return nil, nil
	}
	key, err := readSecret(file)
	if err != nil {
		return nil, usage("%s: %v", flag, err)
	}
	return key, nil
}

// keySeals are the keys that open signing keys; the first also encrypts them.
// The one that is derived from the master secret is always among them, so that
// giving another is all that it takes to replace it.
func (c *Config) keySeals(master []byte) [][]byte {
	var seals [][]byte
	for _, k := range [][]byte{c.key, c.previous, derive(master, "signing keys")} {
		if k != nil {
			seals = append(seals, k)
		}
	}
	if c.key == nil && c.previous != nil { // back to the derived one
		seals[0], seals[1] = seals[1], seals[0]
	}
	return seals
}

// keyPlace says where the key is, or what is wrong with that place.
func (c *Config) keyPlace() (place, warning string) {
	file, place := c.KeyFile, "the key of "+c.KeyFile
	switch {
	case c.key != nil && c.KeyFile == "":
		return "the key of " + keyVariable, ""
	case c.key == nil:
		file, place = c.SecretFile, "a key that is derived from the master secret"
	}
	folder, err1 := filepath.Abs(c.Data)
	path, err2 := filepath.Abs(file)
	inside, err3 := filepath.Rel(folder, path)
	if err1 == nil && err2 == nil && err3 == nil && filepath.IsLocal(inside) {
		return place, fmt.Sprintf("%s lies in the data folder with what it encrypts: move it out with key-file or %s", file, keyVariable)
	}
	return place, ""
}

// openSigningKeys opens the keys that sign tokens, or says which key is missing.
// Where the loss of the master secret was accepted, that of its keys is too.
func openSigningKeys(ctx context.Context, c *Config, srv *server.Server) error {
	err := srv.OpenKeys(ctx, c.NewSigningKeys || c.AcceptRollback > 0)
	if errors.Is(err, oauth2.ErrSealed) {
		place, _ := c.keyPlace()
		return usage("%w: that is %s; give the one that they were encrypted with (key-file or %s, or previous-key-file), or, if it is lost for good, start once with --new-signing-keys",
			err, place, keyVariable)
	}
	return err
}
