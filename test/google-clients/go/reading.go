package main

import (
	"time"

	"cloud.google.com/go/spanner"
	"google.golang.org/api/iterator"
)

// Queries and reads, single and of one snapshot.
var reading = []operation{
	{"a query with parameters", func(app *application) (any, error) {
		return plain(app.client.Single().Query(app.ctx, spanner.Statement{
			SQL:    "SELECT name, $2::varchar FROM singers WHERE id = $1",
			Params: map[string]any{"p1": 1, "p2": "said"},
		}))
	}},
	{"a query of every type", func(app *application) (any, error) {
		return app.rows(`SELECT true, 9007199254740993, 1.5::float8, 1.5::float4, 1.50::numeric, 'x'::varchar, '\x00ff'::bytea, '2026-01-02'::date,
			'2026-01-02T03:04:05.678901Z'::timestamptz, '{"a": 1}'::jsonb, ARRAY[1, NULL, 3], NULL::varchar`)
	}},
	{"a read of keys", func(app *application) (any, error) {
		keys := spanner.KeySets(spanner.Key{1}, spanner.KeyRange{Start: spanner.Key{2}, End: spanner.Key{5}, Kind: spanner.OpenClosed})
		return plain(app.client.Single().Read(app.ctx, "singers", keys, []string{"id", "name"}))
	}},
	{"a read by an index", func(app *application) (any, error) {
		return plain(app.client.Single().ReadUsingIndex(app.ctx, "singers", "singers_by_name", spanner.Key{"Bee"}.AsPrefix(), []string{"name", "id"}))
	}},
	{"a row that is not there", func(app *application) (any, error) {
		_, err := app.client.Single().ReadRow(app.ctx, "singers", spanner.Key{99}, []string{"name"})
		return codeOf(err), nil
	}},
	{"a read-only transaction", func(app *application) (any, error) {
		txn := app.client.ReadOnlyTransaction()
		defer txn.Close()
		before, err := plain(txn.Query(app.ctx, spanner.NewStatement("SELECT count(*) FROM singers WHERE id < 20 OR id = 30")))
		if err != nil {
			return nil, err
		}
		if _, err := app.client.Apply(app.ctx, []*spanner.Mutation{spanner.Insert("singers", []string{"id", "name"}, []any{30, "Xia"})}); err != nil {
			return nil, err
		}
		after, err := plain(txn.Query(app.ctx, spanner.NewStatement("SELECT count(*) FROM singers WHERE id < 20 OR id = 30")))
		at, timestampError := txn.Timestamp()
		return []any{before, after, timestampError == nil && !at.IsZero()}, err
	}},
	{"a bounded read", func(app *application) (any, error) {
		return plain(app.client.Single().WithTimestampBound(spanner.MaxStaleness(time.Millisecond)).Query(app.ctx, spanner.NewStatement("SELECT name FROM singers WHERE id = 1")))
	}},
	{"the plan of a statement", func(app *application) (any, error) {
		_, err := app.client.Single().AnalyzeQuery(app.ctx, spanner.NewStatement("SELECT name FROM singers"))
		return codeOf(err), nil
	}},
	{"a query of what is not there", func(app *application) (any, error) {
		_, err := app.rows("SELECT nothing FROM singers")
		return codeOf(err), nil
	}},
	{"a division by zero", func(app *application) (any, error) {
		_, err := app.rows("SELECT 1 / (id - id) FROM singers")
		return codeOf(err), nil
	}},
}

// Reads in partitions.
var batching = []operation{
	{"a partitioned query", func(app *application) (any, error) {
		return partitioned(app, func(txn *spanner.BatchReadOnlyTransaction) ([]*spanner.Partition, error) {
			return txn.PartitionQuery(app.ctx, spanner.NewStatement("SELECT id FROM singers WHERE id < 6"), spanner.PartitionOptions{})
		})
	}},
	{"a partitioned read", func(app *application) (any, error) {
		return partitioned(app, func(txn *spanner.BatchReadOnlyTransaction) ([]*spanner.Partition, error) {
			return txn.PartitionRead(app.ctx, "albums", spanner.KeyRange{Start: spanner.Key{1}, End: spanner.Key{9}}, []string{"id"}, spanner.PartitionOptions{})
		})
	}},
}

// How many rows all partitions have together, read in a transaction that another process could have joined by its id.
func partitioned(app *application, cut func(*spanner.BatchReadOnlyTransaction) ([]*spanner.Partition, error)) (any, error) {
	txn, err := app.client.BatchReadOnlyTransaction(app.ctx, spanner.StrongRead())
	if err != nil {
		return nil, err
	}
	defer txn.Cleanup(app.ctx)
	partitions, err := cut(txn)
	if err != nil {
		return nil, err
	}
	other := app.client.BatchReadOnlyTransactionFromID(txn.ID)
	count := 0
	for _, partition := range partitions {
		rows := other.Execute(app.ctx, partition)
		for {
			_, err := rows.Next()
			if err == iterator.Done {
				break
			}
			if err != nil {
				return nil, err
			}
			count++
		}
	}
	return count, nil
}
