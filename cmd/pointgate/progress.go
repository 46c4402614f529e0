package main

import (
	"fmt"
	"io"
	"os"

	"github.com/pointgate/pointgate/store"
)

// progress shows on a terminal how far a long work is; elsewhere it is silent.
func progress(w io.Writer, what string) store.Progress {
	if !isTerminal(w) {
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

// isTerminal reports whether a stream of the command is one that a person sits at.
// The null device is a character device as terminals are, and nobody does there.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
