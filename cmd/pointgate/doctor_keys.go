package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/pointgate/pointgate/oauth2"
)

// checkTokenKeys: the keys that sign tokens open with the key that is given, and
// that one is not kept where they are.
func checkTokenKeys(ctx context.Context, p *patient) (string, error) {
	if p.database == nil || p.broken != nil {
		return "", errSkipped
	}
	c := *p.config
	if c.SecretFile == "" {
		c.SecretFile = filepath.Join(c.Data, "secret.key")
	}
	master, err := readSecret(c.SecretFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err // a missing one is told of with the log's key
	}
	n, err := oauth2.CheckKeys(ctx, p.database, time.Now(), c.keySeals(master))
	place, warn := c.keyPlace()
	if err != nil {
		return "", fmt.Errorf("%w: that is %s", err, place)
	}
	found := fmt.Sprintf("%d signing keys open with %s", n, place)
	if warn != "" {
		return "", warning{found + "; " + warn}
	}
	return found, nil
}
