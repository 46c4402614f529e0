package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"strings"

	"github.com/jmoiron/sqlx"
)

// reset throws the index away and begins an empty one.
func (x *index) reset(ctx context.Context) error {
	x.use.Lock()
	defer x.use.Unlock()
	if x.path != "" {
		err := x.disconnect() // all connections: SQLite would delete the new file's log with the last of them
		if err := errors.Join(err, removeDatabase(x.path)); err != nil {
			return err
		}
	} else if x.write != nil {
		if err := x.dropTables(ctx); err != nil {
			return err
		}
		if err := x.disconnect(); err != nil {
			return err
		}
	}
	return x.connect(ctx)
}

// dropTables leaves those that another node has made anew already: nodes that
// find the same damage would else throw away each other's work.
func (x *index) dropTables(ctx context.Context) error {
	tx, err := x.write.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, indexLock); err != nil {
		return err
	}
	var there []bool
	if err := tx.SelectContext(ctx, &there, `SELECT to_regclass('search_meta') IS NOT NULL`); err != nil {
		return err
	}
	var salts [][]byte
	if len(there) == 1 && there[0] {
		if err := tx.SelectContext(ctx, &salts, `SELECT salt FROM search_meta`); err != nil {
			return err
		}
	}
	if len(salts) == 1 && x.salt != nil && !bytes.Equal(salts[0], x.salt) {
		return nil
	}
	for _, table := range indexTables {
		if _, err := tx.ExecContext(ctx, `DROP TABLE IF EXISTS `+table); err != nil {
			return err
		}
	}
	x.salt = nil
	return tx.Commit()
}

// indexLock is held by the node that makes or drops the tables (PostgreSQL).
const indexLock = `SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.search_meta'))`

func (x *index) disconnect() (err error) {
	if x.write != nil {
		err = x.write.Close()
	}
	if x.read != nil {
		err = errors.Join(err, x.read.Close())
	}
	x.read, x.write = nil, nil
	return err
}

// removeDatabase deletes a SQLite database: the file before its log, because
// SQLite throws away the log of a file that is not there, but would apply one
// that is older than the file.
func removeDatabase(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (x *index) connect(ctx context.Context) (err error) {
	if x.path == "" {
		// Connections of its own: who looks at the index reads the log meanwhile,
		// and must not wait for somebody who waits for the same.
		if x.read, err = sqlx.Open(x.db.dialect.driver, x.url); err == nil {
			x.write, err = sqlx.Open(x.db.dialect.driver, x.url)
		}
	} else {
		if err := createPrivate(x.path); err != nil {
			return err
		}
		if x.read, err = sqlx.Open(x.db.dialect.driver, indexDSN(x.path, true)); err == nil {
			x.write, err = sqlx.Open(x.db.dialect.driver, indexDSN(x.path, false))
		}
	}
	if err == nil {
		x.write.SetMaxOpenConns(1)
		x.read.SetMaxOpenConns(indexReaders)
		x.read.SetMaxIdleConns(indexReaders)
		err = x.create(ctx)
	}
	if err != nil {
		return errors.Join(err, x.disconnect())
	}
	return nil
}

// indexDSN: without a sync for each commit, because what a power cut takes from
// the end is made again. synchronous=NORMAL keeps the file whole.
func indexDSN(path string, readOnly bool) string {
	q := url.Values{"_synchronous": {"NORMAL"}, "_txlock": {"immediate"}, "_busy_timeout": {"5000"}, "_secure_delete": {"on"}}
	if readOnly {
		q.Set("_txlock", "deferred")
		q.Set("_query_only", "1")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

var indexTables = []string{"search_meta", "search_slots", "search_chunks", "search_times", "search_values"}

// indexSchema: slots have the sets of records by what is in them, chunks and
// times when and under which ids they were made, values what there is to count
// by. Texts are bytes: PostgreSQL refuses some that a record may have.
const indexSchema = `
CREATE TABLE IF NOT EXISTS search_meta (version BIGINT NOT NULL, salt BYTES NOT NULL, position BIGINT NOT NULL, entry BYTES NOT NULL);
CREATE TABLE IF NOT EXISTS search_slots (id ROWID PRIMARY KEY, data BYTES NOT NULL);
CREATE TABLE IF NOT EXISTS search_chunks (chunk ROWID PRIMARY KEY, from_at BIGINT NOT NULL, to_at BIGINT NOT NULL,
	lo_id BYTES NOT NULL, hi_id BYTES NOT NULL, times BYTES NOT NULL, ids BYTES NOT NULL);
CREATE TABLE IF NOT EXISTS search_times (span ROWID PRIMARY KEY, at BYTES NOT NULL);
CREATE TABLE IF NOT EXISTS search_values (tenant BYTES NOT NULL, field BIGINT NOT NULL, chunk BIGINT NOT NULL, value BYTES NOT NULL, n BIGINT NOT NULL,
	PRIMARY KEY (tenant, field, chunk, value))`

// create makes the tables that are missing, and refuses those of another version.
func (x *index) create(ctx context.Context) error {
	rowID, bytesType := "BIGINT", "BYTEA"
	if x.path != "" {
		rowID, bytesType = "INTEGER", "BLOB"
		if _, err := x.write.ExecContext(ctx, `PRAGMA page_size = 8192; PRAGMA journal_mode = WAL`); err != nil {
			return err
		}
	}
	tx, err := x.write.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if x.path == "" { // nodes that start together
		if _, err := tx.ExecContext(ctx, indexLock); err != nil {
			return err
		}
	}
	schema := strings.NewReplacer("ROWID", rowID, "BYTES", bytesType).Replace(indexSchema)
	for statement := range strings.SplitSeq(schema, ";") {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	salt := []byte(rand.Text())
	if _, err := tx.ExecContext(ctx, tx.Rebind(`INSERT INTO search_meta (version, salt, position, entry)
		SELECT ?, ?, 0, ? WHERE NOT EXISTS (SELECT 1 FROM search_meta)`), indexVersion, salt, []byte{}); err != nil {
		return err
	}
	return tx.Commit()
}
