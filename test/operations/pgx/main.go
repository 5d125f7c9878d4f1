// One step of pgx for each line of standard input; `done` on standard output after each.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
)

const (
	read   = "select n, v from item where id = $1"
	write  = "update item set n = n + 1 where id = $1"
	insert = "insert into item (id, n) values ($1, $2)"
)

var (
	ctx  = context.Background()
	conn *pgx.Conn
)

func connect() (err error) {
	conn, err = pgx.Connect(ctx, "")
	return err
}

func query(args ...any) error {
	rows, err := conn.Query(ctx, read, args...)
	if err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

func exec(text string, args ...any) error {
	_, err := conn.Exec(ctx, text, args...)
	return err
}

func inTransaction(options pgx.TxOptions, texts ...string) error {
	return pgx.BeginTxFunc(ctx, conn, options, func(tx pgx.Tx) error {
		for _, text := range texts {
			if _, err := tx.Exec(ctx, text, 1); err != nil {
				return err
			}
		}
		return nil
	})
}

func nested() error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, text := range []string{read, write} {
			err := pgx.BeginFunc(ctx, tx, func(inner pgx.Tx) error {
				_, err := inner.Exec(ctx, text, 1)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func batch(texts ...string) error {
	batch := &pgx.Batch{}
	for _, text := range texts {
		batch.Queue(text, 1)
	}
	return conn.SendBatch(ctx, batch).Close()
}

func batchOfInserts() error {
	batch := &pgx.Batch{}
	for id := 400; id < 403; id++ {
		batch.Queue(insert, id, id)
	}
	return conn.SendBatch(ctx, batch).Close()
}

var steps = map[string]func() error{
	"connect":    connect,
	"select 1":   func() error { return exec("select 1") },
	"first read": func() error { return query(1) },
	"read":       func() error { return query(1) },
	"read without a prepared statement": func() error {
		return query(pgx.QueryExecModeExec, 1)
	},
	"read by the simple protocol": func() error {
		return query(pgx.QueryExecModeSimpleProtocol, 1)
	},
	"write": func() error { return exec(write, 1) },
	"write returning": func() error {
		var n int
		return conn.QueryRow(ctx, write+" returning n", 1).Scan(&n)
	},
	"transaction": func() error {
		return inTransaction(pgx.TxOptions{}, read, write, write)
	},
	"nested transaction": nested,
	"read-only transaction": func() error {
		return inTransaction(pgx.TxOptions{AccessMode: pgx.ReadOnly}, read, read)
	},
	"empty transaction": func() error { return inTransaction(pgx.TxOptions{}) },
	"batch of reads":    func() error { return batch(read, read) },
	"batch of writes":   func() error { return batch(write, write, write) },
	"batch of inserts":  batchOfInserts,
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		step, known := steps[lines.Text()]
		if !known {
			fmt.Println("no such step")
			continue
		}
		if err := step(); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("done")
	}
}
