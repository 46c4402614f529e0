package main

import (
	"fmt"
	"os"
	"os/user"

	"github.com/google/uuid"

	"github.com/pointgate/pointgate/server"
	"github.com/pointgate/pointgate/store"
)

// operated is the installation in db, for the records of what a command or a
// start does to it.
func operated(db *store.DB) *server.Installation {
	return &server.Installation{
		Store: db, Labels: map[string]string{"id": uuid.NewString(), "version": version()}, Operator: operator(),
	}
}

// operator is who runs the command, as the operating system knows them.
func operator() string {
	if u, err := user.Current(); err == nil {
		return fmt.Sprintf("%s (%s)", u.Username, u.Uid)
	}
	return fmt.Sprintf("(%d)", os.Getuid()) // no name in a container of numbers
}
