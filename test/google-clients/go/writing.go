package main

import (
	"context"
	"errors"
	"sort"
	"sync"

	"cloud.google.com/go/spanner"
	"cloud.google.com/go/spanner/apiv1/spannerpb"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/status"
)

const allSingers = "SELECT id, name FROM singers ORDER BY id"

// Mutations, DML in transactions, and what of it fails.
var writing = []operation{
	{"mutations", func(app *application) (any, error) {
		_, err := app.client.Apply(app.ctx, []*spanner.Mutation{
			spanner.Insert("singers", []string{"id", "name", "tags"}, []any{1, "Ann", []string{"a", "b"}}),
			spanner.InsertMap("singers", map[string]any{"id": 2, "name": "Bea", "updated": spanner.CommitTimestamp}),
			spanner.InsertOrUpdate("singers", []string{"id", "name"}, []any{3, "Cid"}),
			spanner.Update("singers", []string{"id", "name"}, []any{2, "Bee"}),
			spanner.Insert("albums", []string{"id", "album", "title"}, []any{1, 1, "Air"}),
		})
		if err != nil {
			return nil, err
		}
		return app.rows("SELECT id, name, updated IS NULL, tags FROM singers ORDER BY id")
	}},
	{"a mutation of a struct", func(app *application) (any, error) {
		type singer struct {
			ID    int64             `spanner:"id"`
			Name  string            `spanner:"name"`
			Score spanner.PGNumeric `spanner:"score"`
		}
		mutation, err := spanner.ReplaceStruct("singers", singer{3, "Cyd", spanner.PGNumeric{Numeric: "1.50", Valid: true}})
		if err != nil {
			return nil, err
		}
		if _, err := app.client.Apply(app.ctx, []*spanner.Mutation{mutation}); err != nil {
			return nil, err
		}
		return app.rows("SELECT name, score FROM singers WHERE id = 3")
	}},
	{"mutations at least once", func(app *application) (any, error) {
		_, err := app.client.Apply(app.ctx, []*spanner.Mutation{
			spanner.InsertOrUpdate("singers", []string{"id", "name"}, []any{4, "Dan"}),
		}, spanner.ApplyAtLeastOnce())
		if err != nil {
			return nil, err
		}
		_, err = app.client.Apply(app.ctx, []*spanner.Mutation{
			spanner.Delete("singers", spanner.KeyRange{Start: spanner.Key{4}, End: spanner.Key{9}, Kind: spanner.ClosedOpen}),
		})
		if err != nil {
			return nil, err
		}
		return app.rows(allSingers)
	}},
	{"a read-write transaction", func(app *application) (any, error) {
		var told []any
		_, err := app.client.ReadWriteTransaction(app.ctx, func(ctx context.Context, txn *spanner.ReadWriteTransaction) error {
			told = nil
			count, err := txn.Update(ctx, spanner.Statement{SQL: "INSERT INTO singers (id, name) VALUES ($1, $2)", Params: map[string]any{"p1": 5, "p2": "Eve"}})
			if err != nil {
				return err
			}
			row, err := txn.ReadRow(ctx, "singers", spanner.Key{5}, []string{"name"})
			if err != nil {
				return err
			}
			var name string
			if err := row.Columns(&name); err != nil {
				return err
			}
			returned, err := plain(txn.Query(ctx, spanner.NewStatement("UPDATE singers SET name = 'Eva' WHERE id = 5 RETURNING name")))
			told = append(told, count, name, returned)
			if err != nil {
				return err
			}
			return txn.BufferWrite([]*spanner.Mutation{spanner.Insert("albums", []string{"id", "album", "title"}, []any{5, 1, "Bye"})})
		})
		if err != nil {
			return nil, err
		}
		albums, err := app.rows("SELECT id, title FROM albums ORDER BY id")
		return append(told, albums), err
	}},
	{"a transaction that is given up", func(app *application) (any, error) {
		_, err := app.client.ReadWriteTransaction(app.ctx, func(ctx context.Context, txn *spanner.ReadWriteTransaction) error {
			if _, err := txn.Update(ctx, spanner.NewStatement("DELETE FROM singers WHERE id > 0")); err != nil {
				return err
			}
			return errors.New("no more")
		})
		rows, queryError := app.rows(allSingers)
		return []any{err != nil, rows}, queryError
	}},
	{"batch DML", func(app *application) (any, error) {
		var counts []int64
		_, err := app.client.ReadWriteTransaction(app.ctx, func(ctx context.Context, txn *spanner.ReadWriteTransaction) (err error) {
			counts, err = txn.BatchUpdate(ctx, []spanner.Statement{
				spanner.NewStatement("INSERT INTO singers (id, name) VALUES (6, 'Fay'), (7, 'Gus')"),
				{SQL: "UPDATE singers SET name = name || $1 WHERE id > $2", Params: map[string]any{"p1": "!", "p2": 4}},
				spanner.NewStatement("DELETE FROM singers WHERE id = 7"),
			})
			return err
		})
		return counts, err
	}},
	{"batch DML that fails in the middle", func(app *application) (any, error) {
		var counts []int64
		_, err := app.client.ReadWriteTransaction(app.ctx, func(ctx context.Context, txn *spanner.ReadWriteTransaction) (err error) {
			counts, err = txn.BatchUpdate(ctx, []spanner.Statement{
				spanner.NewStatement("INSERT INTO singers (id, name) VALUES (8, 'Hal')"),
				spanner.NewStatement("INSERT INTO singers (id, name) VALUES (1, 'Again')"),
				spanner.NewStatement("INSERT INTO singers (id, name) VALUES (9, 'Ida')"),
			})
			return err
		})
		rows, queryError := app.rows("SELECT id FROM singers WHERE id > 7")
		return []any{counts, codeOf(err), rows}, queryError
	}},
	{"partitioned DML", func(app *application) (any, error) {
		count, err := app.client.PartitionedUpdate(app.ctx, spanner.NewStatement("UPDATE singers SET name = name || '?' WHERE id > 4"))
		return count, err
	}},
	{"transactions that contend", contend},
	{"an insert of a key that is there", func(app *application) (any, error) {
		_, err := app.client.Apply(app.ctx, []*spanner.Mutation{spanner.Insert("singers", []string{"id", "name"}, []any{1, "Again"})})
		return codeOf(err), nil
	}},
	{"an update of a row that is not there", func(app *application) (any, error) {
		_, err := app.client.Apply(app.ctx, []*spanner.Mutation{spanner.Update("singers", []string{"id", "name"}, []any{99, "Nobody"})})
		return codeOf(err), nil
	}},
	{"a child without its parent", func(app *application) (any, error) {
		_, err := app.client.Apply(app.ctx, []*spanner.Mutation{spanner.Insert("albums", []string{"id", "album"}, []any{99, 1})})
		return codeOf(err), nil
	}},
	{"NULL where it must not be", func(app *application) (any, error) {
		_, err := app.client.ReadWriteTransaction(app.ctx, func(ctx context.Context, txn *spanner.ReadWriteTransaction) error {
			_, err := txn.Update(ctx, spanner.NewStatement("UPDATE singers SET name = NULL WHERE id = 1"))
			return err
		})
		return codeOf(err), nil
	}},
	{"groups of mutations", func(app *application) (any, error) {
		insert := func(table string, values ...any) *spanner.Mutation {
			return spanner.Insert(table, []string{"id", map[string]string{"singers": "name", "albums": "album"}[table]}, values)
		}
		return batchWrite(app, []*spanner.MutationGroup{
			{Mutations: []*spanner.Mutation{insert("singers", 20, "Uma"), insert("albums", 20, 1)}},
			{Mutations: []*spanner.Mutation{insert("singers", 21, "Vic"), insert("singers", 1, "Again")}},
			{Mutations: []*spanner.Mutation{insert("singers", 22, "Wim")}},
			{Mutations: []*spanner.Mutation{insert("albums", 98, 1)}},
		})
	}},
	{"no groups of mutations", func(app *application) (any, error) {
		return batchWrite(app, nil)
	}},
}

// All add to the same row: whoever is aborted runs again, and nothing is lost.
func contend(app *application) (any, error) {
	var group sync.WaitGroup
	failures := make([]error, 4)
	for i := range failures {
		group.Go(func() {
			_, failures[i] = app.client.ReadWriteTransaction(app.ctx, func(ctx context.Context, txn *spanner.ReadWriteTransaction) error {
				row, err := txn.ReadRow(ctx, "singers", spanner.Key{6}, []string{"score"})
				if err != nil {
					return err
				}
				var score spanner.PGNumeric
				if err := row.Columns(&score); err != nil {
					return err
				}
				_, err = txn.Update(ctx, spanner.Statement{SQL: "UPDATE singers SET score = $1::numeric + 1 WHERE id = 6", Params: map[string]any{"p1": score}})
				return err
			})
		})
	}
	group.Wait()
	if err := errors.Join(failures...); err != nil {
		return nil, err
	}
	return app.rows("SELECT score FROM singers WHERE id = 6")
}

// The code of each group and whether it has a commit timestamp, in the order of the groups: answers come in any.
func batchWrite(app *application, groups []*spanner.MutationGroup) (any, error) {
	type answer struct {
		Group       int32
		Code        string
		IsCommitted bool
	}
	answers := []answer{}
	rows := app.client.BatchWrite(app.ctx, groups)
	defer rows.Stop()
	for {
		response, err := rows.Next()
		if err == iterator.Done {
			break
		}
		if err != nil {
			return codeOf(err), nil
		}
		answers = append(answers, toAnswers(response, func(index int32, code string, isCommitted bool) answer {
			return answer{index, code, isCommitted}
		})...)
	}
	sort.Slice(answers, func(i, j int) bool { return answers[i].Group < answers[j].Group })
	left, err := app.rows("SELECT id FROM singers WHERE id >= 20 ORDER BY id")
	return []any{answers, left}, err
}

func toAnswers[T any](response *spannerpb.BatchWriteResponse, make func(int32, string, bool) T) []T {
	var answers []T
	for _, index := range response.Indexes {
		answers = append(answers, make(index, status.FromProto(response.Status).Code().String(), response.CommitTimestamp != nil))
	}
	return answers
}
