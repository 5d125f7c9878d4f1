import t from 'tap'
import type { BackendDatabase } from '../../server/backend/backend.ts'
import type { PgError } from '../../server/base/pg-error.ts'
import { openDatabaseSchema } from '../../server/schema/database-schema.ts'
import type { LogicalSchema, Table } from '../../server/schema/logical-schema.ts'
import type { DatabaseSchema, RowChanges } from '../../server/schema/schema-types.ts'
import { readTextRows } from '../../server/schema/spanner-query.ts'
import { createSpannerBackend } from '../../server/spanner/spanner-backend.ts'
import { loadParser } from '../../server/sql/postgres-parser.ts'
import {
  arrayOidOf,
  domainOidOf,
  enumOidOf,
  extensionTypeOidOf,
} from '../../server/types/user-type.ts'
import { startEmulator } from '../helpers/emulator.ts'
import { skipWithoutEmulator } from '../helpers/on-emulator.ts'
import { drain } from '../helpers/rows.ts'
import { startCatalogFixture, type TestDatabase, type TestPinned } from './catalog-fixture.ts'

const CALL = { timeoutMs: 60_000 }

/** Of a transaction that declares alone. */
const NO_ROWS: RowChanges = {
  hasWritten: false,
  written: new Set(),
  rest: async () => {},
  read: async () => [],
  write: async () => [],
  commit: async () => {},
}

/** A Spanner database behind one proxy's schema and mirror. */
interface SchemaProxy {
  readonly schema: DatabaseSchema
  readonly mirror: TestDatabase
}

/** The same object, and `onCall` told of each call of one of its methods. */
function counted<T extends object>(object: T, method: keyof T & string, onCall: () => void): T {
  return new Proxy(object, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        if (name === method) onCall()
        return Reflect.apply(value, target, args)
      }
    },
  })
}

await loadParser()
const emulator = await startEmulator()

if (emulator === undefined) skipWithoutEmulator(t)
else {
  const fixture = await startCatalogFixture()
  const backend = await createSpannerBackend({
    project: 'test',
    instance: 'test',
    endpoint: { kind: 'emulator', address: emulator.address },
  })
  t.teardown(async () => {
    await backend.close()
    await emulator.stop()
    await fixture.stop()
  })
  let count = 0

  const makeDatabase = async (...ddl: string[]): Promise<BackendDatabase> => {
    const id = `db-${++count}`
    await backend.createDatabase(id, CALL)
    const database = await backend.openDatabase(id, CALL)
    if (ddl.length > 0) await database.updateDdl(ddl, CALL)
    return database
  }

  const openProxy = async (
    database: BackendDatabase,
    foreignCheckMs = 0,
    known?: TestDatabase,
  ): Promise<SchemaProxy> => {
    const mirror = known ?? (await fixture.makeDatabase())
    const schema = await openDatabaseSchema(
      {
        backend: database,
        companion: mirror.companion,
        ensureRole: async () => undefined,
        defaultOwner: 'spanwire',
        foreignCheckMs,
      },
      CALL,
    )
    return { schema, mirror }
  }

  /** One client transaction of DDL, checked after each statement. */
  const runDdl = async (
    { schema, mirror }: SchemaProxy,
    ...statements: string[]
  ): Promise<void> => {
    const pinned: TestPinned = await mirror.pin()
    const transaction = await schema.begin(pinned, NO_ROWS)
    for (const statement of statements) {
      await pinned.run(statement)
      try {
        await transaction.check(CALL)
      } catch (error) {
        await pinned.release()
        throw error
      }
    }
    await transaction.commit(CALL)
  }

  /** The same connection, and how many questions it was asked so far. */
  const countQueries = (pinned: TestPinned) => {
    let count = 0
    const query: TestPinned['query'] = (text, params) => {
      count++
      return pinned.query(text, params)
    }
    return { pinned: { ...pinned, query }, queries: () => count }
  }

  const failure = async (work: Promise<unknown>): Promise<PgError> => {
    try {
      await work
    } catch (error) {
      return error as PgError
    }
    throw new Error('it did not fail')
  }

  const findTable = (schema: LogicalSchema, name: string): Table => {
    for (const relation of schema.relations.values()) {
      if (relation.kind === 'table' && relation.name === name) return relation
    }
    throw new Error(`no table ${name}`)
  }

  const labelsIn = async (database: BackendDatabase): Promise<readonly unknown[]> =>
    (await readTextRows(database, 'SELECT m, NULL FROM a ORDER BY id', CALL)).map(([m]) => m)

  const write = async (database: BackendDatabase, ...statements: string[]): Promise<void> => {
    const transaction = database.beginReadWrite({ isolation: 'serializable' })
    try {
      for (const sql of statements) {
        await drain(transaction.execute({ sql, params: [] }, { ...CALL, isDml: true }))
      }
      await transaction.commit(CALL)
    } catch (error) {
      await transaction.rollback()
      throw error
    }
  }

  t.test(
    'an empty database is asked what it has, and its mirror what that has, once',
    async (t) => {
      const empty = await makeDatabase()
      for (const { database, questions } of [
        // Tables, schemas and sequences of the backend, all that is in the mirror.
        { database: empty, questions: { backend: 3, mirror: 1 } },
        // And what tables and views have; a mirror that has the view is read again.
        {
          database: await makeDatabase('CREATE VIEW one SQL SECURITY INVOKER AS SELECT 1 AS n'),
          questions: { backend: 11, mirror: 2 },
        },
      ]) {
        const asked = { backend: 0, mirror: 0 }
        const mirror = await fixture.makeDatabase()
        await openProxy(
          counted(database, 'singleUse', () => asked.backend++),
          0,
          { ...mirror, companion: counted(mirror.companion, 'service', () => asked.mirror++) },
        )
        t.same(asked, questions)
      }
      const [first, second] = [await openProxy(empty), await openProxy(empty)]
      await runDdl(first, 'CREATE TABLE a (id bigint PRIMARY KEY)')
      await second.schema.refresh(CALL)
      t.equal(second.schema.current.relations.size, 1, 'whoever found it empty looks again')
    },
  )

  t.test('an empty database takes DDL, and another proxy sees it as declared', async (t) => {
    const database = await makeDatabase()
    const first = await openProxy(database)
    t.equal(first.schema.current.relations.size, 0)
    await runDdl(
      first,
      'CREATE TABLE users (id serial PRIMARY KEY, email varchar(50) UNIQUE, "_age" smallint CHECK ("_age" > 0))',
      'CREATE TABLE posts (id bigint PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE, at timestamp DEFAULT now())',
      'CREATE VIEW recent AS SELECT id, at FROM posts WHERE at > now()',
    )
    await runDdl(first, 'ALTER TABLE users RENAME COLUMN email TO mail')
    const second = await openProxy(database)
    for (const { schema } of [first, second]) {
      const users = findTable(schema.current, 'users')
      t.match(users.columns, [
        { name: 'id', typeOid: 23, notNull: true, physical: { name: 'id', hasDefault: true } },
        { name: 'mail', typeOid: 1043, typmod: 54, physical: { name: 'email', hasDefault: false } },
        { name: '_age', typeOid: 21, physical: { name: 'age', type: { code: 'INT64' } } },
      ])
      t.match(schema.current.tablesByPhysicalName.get('users'), { oid: users.oid })
      t.match(
        [...schema.current.sequences.values()],
        [{ name: 'users_id_seq', nextvalSql: "(nextval('users_id_seq') >> 32)" }],
      )
      const key = findTable(schema.current, 'posts').constraints.find(
        ({ type }) => type === 'foreign-key',
      )
      t.match(key, {
        name: 'posts_author_fkey',
        referencedTable: users.oid,
        physicalName: 'posts_author_fkey',
      })
      t.ok(
        [...schema.current.relations.values()].some(
          ({ kind, name }) => kind === 'view' && name === 'recent',
        ),
      )
    }
    t.same(
      await second.mirror.query(`select column_name, data_type, column_default from information_schema.columns
      where table_name = 'posts' order by ordinal_position`),
      [
        { column_name: 'id', data_type: 'bigint', column_default: null },
        { column_name: 'author', data_type: 'integer', column_default: null },
        { column_name: 'at', data_type: 'timestamp without time zone', column_default: 'now()' },
      ],
    )
  })

  t.test(
    'a later version reaches another proxy, in which unchanged tables keep their OIDs',
    async (t) => {
      const database = await makeDatabase()
      const first = await openProxy(database)
      await runDdl(
        first,
        'CREATE TABLE a (id bigint PRIMARY KEY)',
        'CREATE TABLE b (id bigint PRIMARY KEY, a bigint REFERENCES a)',
        'CREATE TABLE c (id bigint PRIMARY KEY)',
      )
      const second = await openProxy(database)
      const before = second.schema.current
      t.equal(await second.schema.refresh(CALL), false)
      await runDdl(first, 'ALTER TABLE a ADD COLUMN x text', 'ALTER TABLE a RENAME TO aa')
      t.equal(await second.schema.refresh(CALL), true)
      t.ok(second.schema.current.version > before.version)
      t.equal(findTable(second.schema.current, 'c').oid, findTable(before, 'c').oid)
      t.match(findTable(second.schema.current, 'aa').columns, [{ name: 'id' }, { name: 'x' }])
      t.match(findTable(second.schema.current, 'b').constraints, [
        { type: 'foreign-key', referencedTable: findTable(second.schema.current, 'aa').oid },
        {},
      ])
      t.equal(await second.schema.refresh(CALL), false)
    },
  )

  t.test('of two proxies that change the schema at once one is told to try again', async (t) => {
    const database = await makeDatabase()
    const [first, second] = [await openProxy(database, 60_000), await openProxy(database, 60_000)]
    await runDdl(first, 'CREATE TABLE a (id bigint PRIMARY KEY)')
    await second.schema.refresh(CALL)
    await runDdl(first, 'CREATE TABLE b (id bigint PRIMARY KEY)')
    const error = await failure(runDdl(second, 'CREATE TABLE c (id bigint PRIMARY KEY)'))
    t.match(error, { code: '40001' })
    t.same(
      [...second.schema.current.tablesByPhysicalName.keys()].sort(),
      ['a', 'b'],
      'what was half done is undone',
    )
    await runDdl(second, 'CREATE TABLE c (id bigint PRIMARY KEY)')
    t.same([...second.schema.current.tablesByPhysicalName.keys()].sort(), ['a', 'b', 'c'])
  })

  t.test('open DDL that keeps a proxy from a change of another one does not undo it', async (t) => {
    const database = await makeDatabase()
    const [first, second] = [await openProxy(database), await openProxy(database)]
    await runDdl(first, 'CREATE TABLE a (id bigint PRIMARY KEY)', 'CREATE VIEW w AS TABLE a')
    await second.schema.refresh(CALL)
    const pinned = await second.mirror.pin()
    const transaction = await second.schema.begin(pinned, NO_ROWS)
    await pinned.run('CREATE OR REPLACE VIEW w AS SELECT id FROM a WHERE id > 1')
    await transaction.check(CALL)
    await runDdl(first, 'CREATE TABLE b (id bigint PRIMARY KEY, v varchar(7))')
    t.equal(await second.schema.refresh(CALL), false, 'the view is locked')
    t.match(await failure(transaction.commit(CALL)), { code: '40001' })
    const third = await openProxy(database)
    t.match(findTable(third.schema.current, 'b').columns, [{ typmod: -1 }, { typmod: 11 }])
  })

  t.test('what was checked last is what is committed, and nothing is asked again', async (t) => {
    const database = await makeDatabase()
    const proxy = await openProxy(database, 60_000)
    const { pinned, queries } = countQueries(await proxy.mirror.pin())
    const transaction = await proxy.schema.begin(pinned, NO_ROWS)
    await pinned.run('CREATE TABLE a (id bigint PRIMARY KEY)')
    await transaction.check(CALL)
    await pinned.run('SAVEPOINT s', 'CREATE TABLE b (id bigint PRIMARY KEY)')
    await transaction.check(CALL)
    await pinned.run('ROLLBACK TO s')
    transaction.changed()
    await pinned.run('CREATE TABLE c (id bigint PRIMARY KEY)')
    await transaction.check(CALL)
    const asked = queries()
    await transaction.commit(CALL)
    t.equal(queries(), asked)
    t.same([...proxy.schema.current.tablesByPhysicalName.keys()].sort(), ['a', 'c'])
  })

  t.test('what was checked is checked anew where something has changed since', async (t) => {
    const database = await makeDatabase()
    const proxy = await openProxy(database, 60_000)
    await runDdl(proxy, 'CREATE TABLE a (id bigint PRIMARY KEY)')
    const rolledBack = await proxy.mirror.pin()
    const first = await proxy.schema.begin(rolledBack, NO_ROWS)
    await rolledBack.run('CREATE TABLE b (id bigint PRIMARY KEY)', 'SAVEPOINT s')
    await rolledBack.run('CREATE TABLE c (id bigint PRIMARY KEY)')
    await first.check(CALL)
    await rolledBack.run('ROLLBACK TO s')
    first.changed()
    const overtaken = await proxy.mirror.pin()
    const second = await proxy.schema.begin(overtaken, NO_ROWS)
    await overtaken.run('CREATE TABLE d (id bigint PRIMARY KEY)')
    await second.check(CALL)
    const narrowing = await proxy.mirror.pin()
    const third = await proxy.schema.begin(narrowing, NO_ROWS)
    await narrowing.run('ALTER TABLE a ADD COLUMN n bigint NOT NULL')
    await third.check(CALL)
    await first.commit(CALL)
    await second.commit(CALL)
    t.same([...proxy.schema.current.tablesByPhysicalName.keys()].sort(), ['a', 'b', 'd'])
    await write(database, 'INSERT INTO a (id) VALUES (1)')
    t.match(await failure(third.commit(CALL)), { code: '23502' })
  })

  t.test('a mirror that is not as it was left is read, and comes out right', async (t) => {
    const database = await makeDatabase()
    const proxy = await openProxy(database, 60_000)
    const { schema, mirror } = proxy
    await runDdl(proxy, 'CREATE TABLE a (id bigint PRIMARY KEY)')
    const pinned = await mirror.pin()
    const transaction = await schema.begin(pinned, NO_ROWS)
    await pinned.run('CREATE TABLE b (id bigint PRIMARY KEY, v varchar(7))')
    await transaction.check(CALL)
    // It waits for the transaction, and is there when the mirror is advanced.
    const intrusion = mirror.run('CREATE TABLE b (id bigint PRIMARY KEY)')
    await transaction.commit(CALL)
    await intrusion
    t.match(findTable(schema.current, 'b').columns, [{ typmod: -1 }, { typmod: 11 }])
    const { tables } = await mirror.committedSnapshot()
    t.same([...tables.keys()], [...schema.current.relations.keys()])
  })

  t.test('data in the way of a change is told in the words of PostgreSQL', async (t) => {
    const database = await makeDatabase()
    const proxy = await openProxy(database)
    await runDdl(
      proxy,
      'CREATE TABLE p (id bigint PRIMARY KEY)',
      'CREATE TABLE d (id bigint PRIMARY KEY, "_x" text, n bigint)',
    )
    await write(database, `INSERT INTO d (id, x, n) VALUES (1, 'same', 9), (2, 'same', NULL)`)
    const cases: readonly (readonly [string, object])[] = [
      [
        'CREATE UNIQUE INDEX ux ON d ("_x")',
        {
          code: '23505',
          message: 'could not create unique index "ux"',
          fields: { detail: 'Key (_x)=(same) is duplicated.' },
        },
      ],
      [
        'ALTER TABLE d ADD CONSTRAINT "Uq" UNIQUE ("_x")',
        {
          code: '23505',
          message: 'could not create unique index "Uq"',
          fields: { constraint: 'Uq', table: 'd' },
        },
      ],
      [
        'ALTER TABLE d ALTER n SET NOT NULL',
        { code: '23502', message: 'column "n" of relation "d" contains null values' },
      ],
      [
        'ALTER TABLE d ADD COLUMN y text NOT NULL',
        { code: '23502', message: 'column "y" of relation "d" contains null values' },
      ],
      [
        'ALTER TABLE d ADD CONSTRAINT small CHECK (n < 5)',
        {
          code: '23514',
          message: 'check constraint "small" of relation "d" is violated by some row',
        },
      ],
      [
        'ALTER TABLE d ADD CONSTRAINT fk FOREIGN KEY (n) REFERENCES p',
        {
          code: '23503',
          message: 'insert or update on table "d" violates foreign key constraint "fk"',
          fields: { detail: 'Key (n)=(9) is not present in table "p".' },
        },
      ],
    ]
    for (const [statement, wanted] of cases) {
      t.match(await failure(runDdl(proxy, statement)), wanted, statement)
      t.equal(findTable(proxy.schema.current, 'd').columns.length, 3, 'and nothing is left')
    }
    await write(database, 'UPDATE d SET n = 40000 WHERE id = 1')
    t.match(await failure(runDdl(proxy, 'ALTER TABLE d ALTER n TYPE smallint')), {
      code: '22003',
      message: 'smallint out of range',
    })
    await runDdl(proxy, 'ALTER TABLE d ALTER n TYPE integer')
  })

  t.test('columns with defaults fill the rows that are there', async (t) => {
    const database = await makeDatabase()
    const proxy = await openProxy(database)
    await runDdl(proxy, 'CREATE TABLE d (id bigint PRIMARY KEY)')
    await write(database, 'INSERT INTO d (id) VALUES (1)')
    await runDdl(
      proxy,
      `ALTER TABLE d ADD a int NOT NULL DEFAULT 5, ADD b numeric DEFAULT 1.5, ADD c text DEFAULT 'x', ADD e boolean NOT NULL DEFAULT true,
      ADD f timestamp DEFAULT '2020-01-01 00:00:00', ADD g double precision DEFAULT 0, ADD h text, ADD i date DEFAULT '2020-02-03', ADD s serial`,
    )
    const { rows } = await drain(
      database.singleUse({ sql: 'SELECT a, b, c, e, f, g, h, i, s > 0 FROM d', params: [] }, CALL),
    )
    t.same(rows, [['5', '1.5', 'x', true, '2020-01-01T00:00:00Z', 0, null, '2020-02-03', true]])
    const columns = findTable(proxy.schema.current, 'd').columns
    t.same(
      columns.filter(({ physical }) => physical.hasDefault).map(({ name }) => name),
      ['s'],
      'only the sequence stays',
    )
  })

  t.test('an enum type has the same OID in every proxy, whatever becomes of it', async (t) => {
    const database = await makeDatabase()
    const first = await openProxy(database)
    await runDdl(
      first,
      `CREATE TYPE mood AS ENUM ('sad', 'happy')`,
      `CREATE TABLE a (id bigint PRIMARY KEY, m mood DEFAULT 'sad', past mood[])`,
      `CREATE VIEW v AS SELECT id FROM a WHERE m = 'sad'`,
    )
    const typesOf = ({ schema }: SchemaProxy) =>
      findTable(schema.current, 'a').columns.map(({ name, typeOid }) => [name, typeOid])
    const types = [
      ['id', 20],
      ['m', enumOidOf('public', 'mood')],
      ['past', arrayOidOf(enumOidOf('public', 'mood'))],
    ]
    t.same(typesOf(first), types)
    await runDdl(first, `ALTER TYPE mood ADD VALUE 'so' BEFORE 'happy'`)
    await runDdl(first, 'ALTER TYPE mood RENAME TO humour')
    await runDdl(first, `ALTER TYPE humour RENAME VALUE 'happy' TO 'glad'`)
    const second = await openProxy(database)
    for (const proxy of [first, second]) {
      t.same(typesOf(proxy), types)
      t.same([...proxy.schema.current.userTypes.labels.values()], ['sad', 'so', 'glad'])
      t.same([...proxy.schema.current.userTypes.names.values()].sort(), [
        '"public"."humour"',
        '"public"."humour"[]',
      ])
    }
    await write(database, `INSERT INTO a (id, m) VALUES (1, 'glad')`)
    await runDdl(second, `ALTER TYPE humour RENAME VALUE 'glad' TO 'x'`)
    t.same(await labelsIn(database), ['x'], 'the rows have the new name')
    await runDdl(
      second,
      `ALTER TYPE humour RENAME VALUE 'x' TO 'y'`,
      `ALTER TYPE humour RENAME VALUE 'sad' TO 'x'`,
      `ALTER TYPE humour RENAME VALUE 'y' TO 'sad'`,
    )
    t.same(await labelsIn(database), ['sad'], 'names that are swapped')
    await runDdl(second, `ALTER TABLE a ADD CONSTRAINT known CHECK (m <> 'so')`)
    t.match(await failure(runDdl(second, `ALTER TYPE humour RENAME VALUE 'so' TO 'z'`)), {
      code: '0A000',
      message:
        'label "so" of type "humour" cannot be renamed: check constraint "known" of table "a" depends on it',
    })
    await runDdl(second, 'ALTER TABLE a DROP CONSTRAINT known')
    await runDdl(second, 'DROP VIEW v')
    await runDdl(second, 'ALTER TABLE a ALTER m DROP DEFAULT, ALTER m TYPE text')
    t.equal(findTable(second.schema.current, 'a').columns[1]?.typeOid, 25, 'the labels stay')
  })

  t.test(
    'a domain has the same OID in every proxy, and its checks are those of its columns',
    async (t) => {
      const database = await makeDatabase()
      const first = await openProxy(database)
      await runDdl(
        first,
        `CREATE TYPE mood AS ENUM ('sad', 'happy')`,
        `CREATE DOMAIN feeling AS mood DEFAULT 'happy' NOT NULL`,
        `CREATE DOMAIN positive AS integer CONSTRAINT above CHECK (VALUE > 0)`,
        `CREATE DOMAIN few AS positive CHECK (VALUE < 5) CONSTRAINT odd CHECK (pg_typeof(VALUE) = 'integer'::regtype)`,
        `CREATE TABLE a (id bigint PRIMARY KEY, f feeling, p positive, q few, ps positive[])`,
      )
      const oid = (name: string) => domainOidOf('public', name)
      const second = await openProxy(database)
      for (const { schema } of [first, second]) {
        const { domains, names } = schema.current.userTypes
        t.match(domains.get(oid('few')), { baseOid: 23, baseTypmod: -1, isConstrained: true })
        t.match(domains.get(arrayOidOf(oid('positive'))), { baseOid: 1007 })
        t.match(domains.get(oid('feeling')), { baseOid: enumOidOf('public', 'mood') })
        t.equal(names.get(oid('few')), '"public"."few"')
        const columns = findTable(schema.current, 'a').columns
        t.same(
          columns.map(({ typeOid, domain }) => [typeOid, domain?.oid, domain?.isChecked]),
          [
            [20, undefined, undefined],
            [enumOidOf('public', 'mood'), oid('feeling'), true],
            [23, oid('positive'), true],
            [23, oid('few'), false],
            [1007, undefined, undefined],
          ],
        )
      }
      const checks = () =>
        findTable(second.schema.current, 'a').constraints.flatMap(({ type, name, columns }) =>
          type === 'domain-check' ? [`${columns.join()} ${name}`] : [],
        )
      t.same(checks(), ['3 above', '4 above', '4 few_check'])
      // PostgreSQL alters no domain whose arrays are in use.
      await runDdl(second, 'ALTER TABLE a DROP ps')
      await write(database, `INSERT INTO a (id, f, p, q) VALUES (1, 'sad', 70, 1)`)
      t.match(
        await failure(
          runDdl(second, 'ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 50)'),
        ),
        {
          code: '23514',
          message: 'column "p" of table "a" contains values that violate the new constraint',
        },
      )
      t.match(
        await failure(
          runDdl(second, `ALTER DOMAIN positive ADD CHECK (pg_typeof(VALUE) <> 'text'::regtype)`),
        ),
        { code: '0A000' },
      )
      await runDdl(second, 'ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 90)')
      await runDdl(second, 'ALTER DOMAIN few RENAME CONSTRAINT few_check TO fewer')
      await runDdl(second, 'ALTER DOMAIN positive DROP CONSTRAINT above')
      t.same(checks().sort(), ['3 small', '4 fewer', '4 small'])
      await runDdl(second, 'ALTER TABLE a ALTER p TYPE integer, DROP q')
      t.same(checks(), [])
      await runDdl(second, 'DROP DOMAIN few')
    },
  )

  t.test('an extension is in every mirror, its types with the same OIDs', async (t) => {
    const database = await makeDatabase()
    const first = await openProxy(database)
    await runDdl(first, 'CREATE SCHEMA app', 'CREATE EXTENSION citext SCHEMA app')
    await runDdl(
      first,
      'CREATE EXTENSION "uuid-ossp"',
      `CREATE TABLE a (id uuid PRIMARY KEY DEFAULT uuid_generate_v4(), n integer)`,
      `COMMENT ON EXTENSION citext IS 'either case'`,
    )
    const second = await openProxy(database)
    const citext = extensionTypeOidOf('citext', 'citext')
    for (const { schema, mirror } of [first, second]) {
      const { userFunctions, userTypes } = schema.current
      t.equal(userTypes.names.get(citext), '"app"."citext"')
      t.equal(userTypes.names.get(arrayOidOf(citext)), '"app"."citext"[]')
      const functions = [...userFunctions.functions.values()]
      t.match(
        functions.find(({ name }) => name === '"public"."uuid_generate_v5"'),
        { volatility: 'immutable', twin: undefined },
      )
      t.ok([...userFunctions.operators.values()].some(({ name }) => name === '"app".~~*'))
      const [row] = await mirror.companion.service(
        `SELECT obj_description(e.oid) AS comment, extowner::regrole AS owner, 'A'::app.citext OPERATOR(app.=) 'a' AS same,
           array_to_string(array_agg(DISTINCT p.proargtypes::text), ' ') AS lower
         FROM pg_extension e, pg_proc p WHERE extname = 'citext' AND p.oid = 'app.citext_eq'::regproc GROUP BY e.oid`,
      )
      t.same(row, {
        comment: 'either case',
        owner: 'spanwire',
        same: 't',
        lower: `${citext} ${citext}`,
      })
    }
    t.match(await failure(runDdl(second, `CREATE EXTENSION hstore VERSION '1.4'`)), {
      code: '0A000',
    })
    t.match(await failure(runDdl(second, 'CREATE EXTENSION tablefunc')), { code: '0A000' })
    t.match(await failure(runDdl(second, 'ALTER EXTENSION citext SET SCHEMA public')), {
      code: '0A000',
    })
    await runDdl(second, 'DROP EXTENSION citext, "uuid-ossp" CASCADE')
    t.equal(second.schema.current.userFunctions.functions.size, 0)
    t.match(findTable(second.schema.current, 'a').columns, [{ defaultText: undefined }, {}])
  })

  t.test('a function is in every mirror, with what it really is', async (t) => {
    const database = await makeDatabase()
    const first = await openProxy(database)
    await runDdl(first, 'CREATE EXTENSION pgcrypto')
    await runDdl(
      first,
      `CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql AS 'select $1 * 2'`,
      `CREATE FUNCTION four_times(integer) RETURNS integer LANGUAGE sql AS 'select twice(twice($1))'`,
      `CREATE FUNCTION dice() RETURNS integer LANGUAGE sql AS 'select ceil(6 * random())::integer'`,
      `CREATE FUNCTION dices() RETURNS integer LANGUAGE sql AS 'select dice() + public.dice()'`,
      `CREATE FUNCTION salt() RETURNS text LANGUAGE sql AS $$ select gen_salt('md5') $$`,
      `CREATE FUNCTION said() RETURNS float LANGUAGE sql STABLE AS 'select random()'`,
      'CREATE TABLE a (id bigint PRIMARY KEY, n integer DEFAULT twice(3))',
    )
    const second = await openProxy(database)
    for (const { schema, mirror } of [first, second]) {
      const functions = [...schema.current.userFunctions.functions.values()]
      const volatilityOf = (name: string) =>
        functions.find((called) => called.name === `"public"."${name}"`)?.volatility
      t.same(['twice', 'four_times', 'dice', 'dices', 'salt', 'said'].map(volatilityOf), [
        'stable',
        'stable',
        'volatile',
        'volatile',
        'volatile',
        'stable',
      ])
      t.same(
        await mirror.companion.service(
          'SELECT public.four_times(5) AS n, public.dices() > 1 AS many',
        ),
        [{ n: '20', many: 't' }],
      )
    }
    await runDdl(
      second,
      `CREATE OR REPLACE FUNCTION twice(integer) RETURNS integer LANGUAGE sql AS 'select dice() + $1'`,
      'ALTER FUNCTION dice() RENAME TO die',
    )
    await first.schema.refresh(CALL)
    const declared = ({ schema }: SchemaProxy) =>
      schema.declared.map((row) => JSON.stringify(row)).sort()
    t.same(declared(first), declared(second))
    const now = [...first.schema.current.userFunctions.functions.values()]
    t.match(
      now.find(({ name }) => name === '"public"."four_times"'),
      { volatility: 'stable' },
      'dice() is nothing any more',
    )
    await runDdl(first, 'DROP FUNCTION twice CASCADE')
    t.match(findTable(first.schema.current, 'a').columns, [{}, { defaultText: undefined }])
  })

  t.test('what cannot be made is refused at the statement, and leaves nothing', async (t) => {
    const proxy = await openProxy(await makeDatabase())
    t.match(await failure(runDdl(proxy, 'CREATE TYPE pair AS (a text, b text)')), { code: '0A000' })
    await runDdl(proxy, 'CREATE TABLE a (id bigint PRIMARY KEY)')
    t.equal(proxy.schema.current.relations.size, 1)
  })

  t.test('a database that somebody else made is seen as it is stored', async (t) => {
    const database = await makeDatabase(
      'CREATE SCHEMA app',
      'CREATE SEQUENCE numbers BIT_REVERSED_POSITIVE',
      `CREATE TABLE "Parent" (id bigint NOT NULL DEFAULT nextval('numbers'), name varchar(20) NOT NULL, PRIMARY KEY (id))`,
      'CREATE UNIQUE INDEX "byName" ON "Parent" (name DESC)',
      `CREATE TABLE app.child (a bigint NOT NULL, b varchar NOT NULL DEFAULT spanner.generate_uuid(), p bigint, tags varchar[], made timestamptz DEFAULT now(),
         g bigint GENERATED ALWAYS AS (a * 2) STORED, CONSTRAINT positive CHECK (a > 0), CONSTRAINT fk FOREIGN KEY (p) REFERENCES "Parent" (id), PRIMARY KEY (a, b))`,
    )
    const proxy = await openProxy(database)
    const child = findTable(proxy.schema.current, 'child')
    t.equal(child.schema, 'app')
    t.equal(child.physicalName, 'app.child')
    t.match(child.columns, [
      { name: 'a', typeOid: 20, notNull: true, physical: { name: 'a', hasDefault: false } },
      {
        name: 'b',
        typeOid: 1043,
        defaultText: '(gen_random_uuid())::text',
        physical: { hasDefault: true },
      },
      { name: 'p', typeOid: 20 },
      {
        name: 'tags',
        typeOid: 1015,
        physical: { type: { code: 'ARRAY', element: { code: 'STRING' } } },
      },
      { name: 'made', typeOid: 1184, defaultText: 'now()', physical: { hasDefault: true } },
      { name: 'g', generated: true },
    ])
    t.match(
      child.constraints.map(({ name, type }) => [name, type]),
      [
        ['child_pkey', 'primary-key'],
        ['fk', 'foreign-key'],
        ['positive', 'check'],
      ],
    )
    t.match(findTable(proxy.schema.current, 'Parent').indexes, [
      { name: 'byName', unique: true, physicalName: 'byName' },
    ])
    const seen = proxy.schema.current
    t.equal(await proxy.schema.refresh(CALL), false, 'a second look finds nothing new')
    await database.updateDdl(
      [
        'CREATE TABLE more (id bigint NOT NULL, PRIMARY KEY (id))',
        'ALTER TABLE app.child ADD COLUMN extra jsonb',
      ],
      CALL,
    )
    t.equal(await proxy.schema.refresh(CALL), true)
    t.match(findTable(proxy.schema.current, 'child').columns.at(-1), {
      name: 'extra',
      typeOid: 3802,
    })
    t.equal(findTable(proxy.schema.current, 'Parent').oid, findTable(seen, 'Parent').oid)
    await runDdl(
      proxy,
      'ALTER TABLE app.child DROP COLUMN extra',
      'ALTER TABLE more RENAME TO less',
      'CREATE TABLE mine (id int PRIMARY KEY)',
    )
    const other = await openProxy(database)
    t.equal(findTable(other.schema.current, 'less').physicalName, 'more')
    t.match(findTable(other.schema.current, 'mine').columns, [{ typeOid: 23 }])
    await database.updateDdl(
      ['ALTER TABLE "Parent" ADD COLUMN late bigint', 'DROP TABLE mine'],
      CALL,
    )
    t.equal(
      await other.schema.refresh(CALL),
      true,
      'Spanner is right where it differs from the rows',
    )
    t.match(findTable(other.schema.current, 'Parent').columns, [
      { name: 'id' },
      { name: 'name' },
      { name: 'late' },
    ])
    t.throws(() => findTable(other.schema.current, 'mine'))
  })
}
