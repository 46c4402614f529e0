package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/pointgate/pointgate/oauth2"
)

// signingKeys keeps the keys that sign tokens: what other nodes have changed is
// read every few seconds, and what is due is done.
type signingKeys struct {
	provider *oauth2.Provider
	holder   string // of the lease
	log      *slog.Logger
}

const (
	loadKeysEvery = 2 * time.Second
	tendKeysEvery = 10 * time.Second
)

func (k *signingKeys) run(ctx context.Context) {
	load, tend := time.NewTicker(loadKeysEvery), time.NewTicker(tendKeysEvery)
	defer load.Stop()
	defer tend.Stop()
	err := k.provider.TendKeys(ctx, k.holder)
	for {
		if err != nil && ctx.Err() == nil {
			k.log.Error("signing keys are as they were", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-load.C:
			err = k.provider.LoadKeys(ctx)
		case <-tend.C:
			err = k.provider.TendKeys(ctx, k.holder)
		}
	}
}
