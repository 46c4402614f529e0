package store

import (
	"embed"
	"io/fs"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// dialect is all that differs between the databases.
type dialect struct {
	name   string
	driver string
	bind   int // sqlx.QUESTION or sqlx.DOLLAR
	goose  goose.Dialect
	// locker keeps nodes that start together from migrating together; nil where
	// there is one process only.
	locker func() (lock.SessionLocker, error)
	// begin and lockHead start each group's transaction: they lock the log's
	// head against every other writer and read its size.
	begin, lockHead string
	// tables counts the tables of a name, which is put behind it.
	tables string
	// local says that the database is a file on this machine.
	local bool
	// isExists tells a violated UNIQUE or PRIMARY KEY from other errors.
	isExists func(error) bool
}

var sqlite = dialect{
	name: "sqlite", driver: "sqlite3", bind: sqlx.QUESTION, goose: goose.DialectSQLite3,
	lockHead: `SELECT size, frontier FROM log_head`, // BEGIN IMMEDIATE has locked it already
	tables:   `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name`,
	begin:    `BEGIN IMMEDIATE`, local: true, isExists: sqliteExists,
}

var postgres = dialect{
	name: "postgres", driver: "pgx", bind: sqlx.DOLLAR, goose: goose.DialectPostgres,
	lockHead: `SELECT size, frontier FROM log_head FOR UPDATE`,
	locker:   func() (lock.SessionLocker, error) { return lock.NewPostgresSessionLocker() },
	tables:   `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename`,
	begin:    `BEGIN`, isExists: postgresExists,
}

func (d *dialect) migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations/"+d.name)
	if err != nil {
		panic(err) // the folder is embedded: only a broken build gets here
	}
	return sub
}
