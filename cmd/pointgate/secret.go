package main

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// masterSecret reads the secret from which all keys are derived, and makes it
// at the first start. The file is readable by its owner alone.
func masterSecret(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeSecret(path)
	}
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
