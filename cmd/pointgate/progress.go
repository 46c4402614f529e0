package main

import (
	"fmt"
	"io"
	"os"

	"github.com/pointgate/pointgate/store"
)

// progress shows on a terminal how far a long work is; elsewhere it is silent.
func progress(w io.Writer, what string) store.Progress {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	shown := int64(-1)
	return func(done, total int64) {
		percent := int64(100)
		if total > 0 {
			percent = done * 100 / total
		}
		if percent == shown {
			return
		}
		shown = percent
		end := ""
		if percent == 100 {
			end = "\n"
		}
		fmt.Fprintf(w, "\r%s %3d %%%s", what, percent, end)
	}
}
