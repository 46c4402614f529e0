package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/pointgate/pointgate/server/audit"
)

// checkCheckpoint asks what a start asks: whether the log goes on from what was
// kept and published of it.
func checkCheckpoint(ctx context.Context, p *patient) (string, error) {
	if p.database == nil {
		return "", errSkipped
	}
	t := trailOf(p.config, nil, "doctor")
	t.Now, t.Log = time.Now, slog.New(slog.DiscardHandler)
	unread, err := audit.Compare(ctx, p.database, *t)
	found := "the log goes on from what was kept and published of it"
	if len(unread) > 0 {
		found += "; not asked, because they do not answer: " + strings.Join(unread, ", ")
	}
	return found, err
}

// checkLogKey: with another master secret than the one that it was made with,
// the key that signs can't be opened, and no token is known.
func checkLogKey(ctx context.Context, p *patient) (string, error) {
	if p.database == nil {
		return "", errSkipped
	}
	file := p.config.SecretFile
	if file == "" { // the configuration is broken
		file = filepath.Join(p.config.Data, "secret.key")
	}
	master, err := readSecret(file)
	if errors.Is(err, fs.ErrNotExist) {
		if founded, err := p.database.Founded(ctx); err != nil || !founded {
			return "the first start makes the secret and the key", err
		}
		return "", &missingSecretError{file}
	}
	if err != nil {
		return "", err
	}
	t := trailOf(p.config, master, "doctor")
	t.Now = time.Now
	vkey, err := audit.OpenKey(ctx, p.database, *t)
	if vkey == "" {
		vkey = "the first start makes it"
	}
	return vkey, err
}
