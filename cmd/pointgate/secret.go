package main

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/pointgate/pointgate/store"
)

// masterSecret reads the secret from which all keys are derived, and makes it
// at the first start. Where it is missing later, another in its place would be
// the end of all tokens and of the log's key, without a word: that is left to
// who operates the machine.
func masterSecret(ctx context.Context, c *Config) ([]byte, error) {
	secret, err := readSecret(c.SecretFile)
	if errors.Is(err, fs.ErrNotExist) {
		if err := wantNew(ctx, c); err != nil {
			return nil, err
		}
		secret, err = makeSecret(c.SecretFile)
	}
	if err != nil {
		return nil, fmt.Errorf("secret-file: %w", err)
	}
	return secret, nil
}

// wantNew is nil where nothing can have been made with a master secret yet.
func wantNew(ctx context.Context, c *Config) (err error) {
	i, err := store.Inspect(store.Options{URL: c.Database, Dir: c.Data})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // SQLite's file
	}
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	founded, err := i.Founded(ctx)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if founded {
		return fmt.Errorf("secret-file: %w", &missingSecretError{c.SecretFile})
	}
	return nil
}

// missingSecretError says that there is a database, but not its secret.
type missingSecretError struct{ path string }

func (e *missingSecretError) Error() string {
	return fmt.Sprintf("%s is missing and the database exists: put its copy back, or, if it is lost for good, make another: (umask 077; openssl rand -hex 32 > %s)", e.path, e.path)
}

// readSecret reads the file, which is readable by its owner alone.
func readSecret(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(secret) != 32 {
		return nil, fmt.Errorf("%s: want 64 hexadecimal digits", path)
	}
	return secret, nil
}

// makeSecret writes and syncs a new secret; a file that appeared meanwhile wins.
func makeSecret(path string) ([]byte, error) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // crypto/rand.Read never fails
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err := f.WriteString(hex.EncodeToString(secret) + "\n"); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return secret, f.Close()
}

// derive makes the 32-byte key for one purpose (RFC 5869). A purpose is never
// given another meaning.
func derive(master []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, master, nil, "pointgate/"+purpose, 32)
	if err != nil {
		panic(err) // only for lengths that SHA-256 can't give
	}
	return key
}
