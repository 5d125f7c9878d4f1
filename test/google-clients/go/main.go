// An application of Google's client for Go, as a process of its own: SPANNER_EMULATOR_HOST is where it finds its server, the argument
// is the name of the instance. It writes what each operation gave, a line of JSON for each.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"cloud.google.com/go/spanner"
	admin "cloud.google.com/go/spanner/admin/database/apiv1"
	"cloud.google.com/go/spanner/admin/database/apiv1/databasepb"
	instanceadmin "cloud.google.com/go/spanner/admin/instance/apiv1"
	"cloud.google.com/go/spanner/admin/instance/apiv1/instancepb"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
)

// What an operation works with: the client's own objects.
type application struct {
	ctx      context.Context
	instance string
	database string
	admin    *admin.DatabaseAdminClient
	client   *spanner.Client
}

type operation struct {
	name string
	run  func(*application) (any, error)
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
	defer cancel()
	app := &application{ctx: ctx, instance: os.Args[1], database: os.Args[1] + "/databases/go-client"}
	must(app.open())
	for _, each := range operations() {
		value, err := each.run(app)
		if err != nil {
			value = map[string]any{"code": int(spanner.ErrCode(err)), "text": err.Error()}
		}
		line, err := json.Marshal(map[string]any{"name": each.name, "value": value})
		must(err)
		fmt.Println(string(line))
	}
	app.client.Close()
	must(app.admin.Close())
}

func operations() []operation {
	var all []operation
	for _, group := range [][]operation{creating, writing, reading, batching, dropping} {
		all = append(all, group...)
	}
	return all
}

// Makes sure of the instance, and opens the clients; the database is made by the first operation.
func (app *application) open() error {
	instances, err := instanceadmin.NewInstanceAdminClient(app.ctx)
	if err != nil {
		return err
	}
	defer instances.Close()
	parts := strings.Split(app.instance, "/")
	made, err := instances.CreateInstance(app.ctx, &instancepb.CreateInstanceRequest{
		Parent:     "projects/" + parts[1],
		InstanceId: parts[3],
		Instance:   &instancepb.Instance{Config: "projects/" + parts[1] + "/instanceConfigs/emulator-config", DisplayName: "go", NodeCount: 1},
	})
	if err == nil {
		_, err = made.Wait(app.ctx)
	}
	if err != nil && spanner.ErrCode(err) != codes.AlreadyExists {
		return err
	}
	app.admin, err = admin.NewDatabaseAdminClient(app.ctx)
	return err
}

var creating = []operation{
	{"create a database", func(app *application) (any, error) {
		made, err := app.admin.CreateDatabase(app.ctx, &databasepb.CreateDatabaseRequest{
			Parent:          app.instance,
			CreateStatement: `CREATE DATABASE "go-client"`,
			DatabaseDialect: databasepb.DatabaseDialect_POSTGRESQL,
		})
		if err != nil {
			return nil, err
		}
		if _, err := made.Wait(app.ctx); err != nil {
			return nil, err
		}
		app.client, err = spanner.NewClient(app.ctx, app.database)
		return "made", err
	}},
	{"DDL through the admin client", func(app *application) (any, error) {
		return app.ddl(
			`CREATE TABLE singers (id bigint NOT NULL, name varchar(40) NOT NULL, score numeric, born date, tags varchar[], updated spanner.commit_timestamp, PRIMARY KEY (id))`,
			`CREATE TABLE albums (id bigint NOT NULL, album bigint NOT NULL, title varchar, PRIMARY KEY (id, album)) INTERLEAVE IN PARENT singers ON DELETE CASCADE`,
			`CREATE INDEX singers_by_name ON singers (name)`,
		)
	}},
	{"DDL that does not parse", func(app *application) (any, error) {
		_, err := app.ddl("CREATE TABEL nothing (id bigint)")
		return codeOf(err), nil
	}},
	{"the DDL of the database", func(app *application) (any, error) {
		got, err := app.admin.GetDatabaseDdl(app.ctx, &databasepb.GetDatabaseDdlRequest{Database: app.database})
		if err != nil {
			return nil, err
		}
		return got.Statements, nil
	}},
}

var dropping = []operation{
	{"drop the database", func(app *application) (any, error) {
		return "dropped", app.admin.DropDatabase(app.ctx, &databasepb.DropDatabaseRequest{Database: app.database})
	}},
}

// Runs DDL to its end.
func (app *application) ddl(statements ...string) (any, error) {
	changed, err := app.admin.UpdateDatabaseDdl(app.ctx, &databasepb.UpdateDatabaseDdlRequest{Database: app.database, Statements: statements})
	if err != nil {
		return nil, err
	}
	return "done", changed.Wait(app.ctx)
}

// The rows of a query outside of a transaction.
func (app *application) rows(sql string) (any, error) {
	return plain(app.client.Single().Query(app.ctx, spanner.NewStatement(sql)))
}

// Every value as Spanner sends it, so that JSON carries it.
func plain(rows *spanner.RowIterator) ([][]any, error) {
	defer rows.Stop()
	all := [][]any{}
	for {
		row, err := rows.Next()
		if err == iterator.Done {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		cells := []any{}
		for i := range row.Size() {
			var cell spanner.GenericColumnValue
			if err := row.Column(i, &cell); err != nil {
				return nil, err
			}
			cells = append(cells, cell.Value.AsInterface())
		}
		all = append(all, cells)
	}
}

// The code of an error as a value, where the operation is to fail.
func codeOf(err error) any {
	return spanner.ErrCode(spanner.ToSpannerError(err)).String()
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
