import t from 'tap'
import type { Snapshot } from '../../server/schema/snapshot.ts'
import { type Mapped, mapTo, startCatalogFixture, type TestDatabase } from './catalog-fixture.ts'

/** Client statements of one transaction, and what Spanner is sent for them. */
interface Step {
  readonly client: readonly string[]
  readonly spanner: readonly string[]
}

const STORY: readonly Step[] = [
  {
    client: [
      `CREATE TABLE users (id serial PRIMARY KEY, email varchar(100) NOT NULL UNIQUE, age integer CHECK (age >= 0),
         balance numeric(10,2) DEFAULT 0, state varchar(10) CHECK (state IN ('on', 'off')), "_order" smallint,
         made timestamp DEFAULT now(), nick text UNIQUE)`,
    ],
    spanner: [
      `CREATE SEQUENCE "users_id_seq" BIT_REVERSED_POSITIVE`,
      `CREATE TABLE "users" (
  "id" bigint DEFAULT ((nextval('users_id_seq') >> 32)) NOT NULL,
  "email" character varying(100) NOT NULL,
  "age" bigint,
  "balance" numeric,
  "state" character varying(10),
  "order" bigint,
  "made" timestamp with time zone,
  "nick" character varying,
  CONSTRAINT "users_age_check" CHECK (("age" >= 0)),
  CONSTRAINT "users_state_check" CHECK ((("state")::text = ANY ((ARRAY['on'::character varying, 'off'::character varying])::text[]))),
  CONSTRAINT "spw_int4_users_id" CHECK ("id" BETWEEN -2147483648 AND 2147483647),
  CONSTRAINT "spw_int4_users_age" CHECK ("age" BETWEEN -2147483648 AND 2147483647),
  CONSTRAINT "spw_num10_2_users_balance" CHECK (("balance" > '-100000000'::numeric AND "balance" < '100000000'::numeric) OR "balance" = 'NaN'::numeric),
  CONSTRAINT "spw_int2_users_order" CHECK ("order" BETWEEN -32768 AND 32767),
  PRIMARY KEY ("id")
)`,
      `CREATE UNIQUE INDEX "users_email_key" ON "users" ("email")`,
      `CREATE UNIQUE INDEX "users_nick_key" ON "users" ("nick") WHERE "nick" IS NOT NULL`,
    ],
  },
  {
    client: [
      'CREATE TABLE posts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE, title text)',
      'CREATE INDEX ON posts (user_id, title DESC)',
      'CREATE INDEX by_lower ON posts (lower(title))',
      'CREATE INDEX by_pattern ON posts (title text_pattern_ops) WHERE user_id > 5',
    ],
    spanner: [
      `CREATE SEQUENCE "posts_id_seq" BIT_REVERSED_POSITIVE`,
      `CREATE TABLE "posts" (
  "id" bigint DEFAULT (nextval('posts_id_seq')) NOT NULL,
  "user_id" bigint NOT NULL,
  "title" character varying,
  CONSTRAINT "posts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE,
  PRIMARY KEY ("id")
)`,
      `CREATE INDEX "by_pattern" ON "posts" ("title")`,
      `CREATE INDEX "posts_user_id_title_idx" ON "posts" ("user_id", "title" DESC)`,
    ],
  },
  {
    client: ['CREATE TABLE log (a text)', 'CREATE VIEW names AS SELECT user_id FROM posts'],
    spanner: [
      `CREATE TABLE "log" (
  "a" character varying,
  "spanwire_key" character varying(36) DEFAULT (spanner.generate_uuid()) NOT NULL,
  PRIMARY KEY ("spanwire_key")
)`,
    ],
  },
  {
    client: [
      'ALTER TABLE users RENAME TO people',
      'ALTER TABLE people RENAME COLUMN email TO mail',
      'ALTER TABLE people RENAME CONSTRAINT users_age_check TO adult',
      'ALTER INDEX by_pattern RENAME TO pattern',
    ],
    spanner: [],
  },
  {
    client: [
      `ALTER TABLE log ADD COLUMN n int NOT NULL DEFAULT 5, ADD COLUMN d jsonb DEFAULT NULL, ADD COLUMN e text NOT NULL,
         ADD COLUMN at timestamp DEFAULT '2020-01-02 03:04:05'`,
    ],
    spanner: [
      `ALTER TABLE "log" ADD COLUMN "n" bigint DEFAULT (CAST(5 AS bigint)) NOT NULL`,
      `ALTER TABLE "log" ALTER COLUMN "n" DROP DEFAULT`,
      `ALTER TABLE "log" ADD COLUMN "d" jsonb`,
      `ALTER TABLE "log" ADD COLUMN "e" character varying`,
      `ALTER TABLE "log" ALTER COLUMN "e" TYPE character varying, ALTER COLUMN "e" SET NOT NULL`,
      `ALTER TABLE "log" ADD COLUMN "at" timestamp with time zone DEFAULT (CAST('2020-01-02 03:04:05+00'::timestamp with time zone AS timestamp with time zone))`,
      `ALTER TABLE "log" ALTER COLUMN "at" DROP DEFAULT`,
      `ALTER TABLE "log" ADD CONSTRAINT "spw_int4_log_n" CHECK ("n" BETWEEN -2147483648 AND 2147483647)`,
    ],
  },
  {
    client: [
      'ALTER TABLE posts ALTER user_id DROP NOT NULL, ALTER title TYPE varchar(30)',
      'ALTER TABLE people ALTER age TYPE bigint',
    ],
    spanner: [
      `ALTER TABLE "posts" DROP CONSTRAINT "posts_user_id_fkey"`,
      `DROP INDEX "posts_user_id_title_idx"`,
      `ALTER TABLE "posts" ALTER COLUMN "user_id" TYPE bigint, ALTER COLUMN "user_id" DROP NOT NULL`,
      `ALTER TABLE "posts" ALTER COLUMN "title" TYPE character varying(30), ALTER COLUMN "title" DROP NOT NULL`,
      `ALTER TABLE "posts" ADD CONSTRAINT "posts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE`,
      `CREATE INDEX "posts_user_id_title_idx" ON "posts" ("user_id", "title" DESC)`,
      `ALTER TABLE "users" DROP CONSTRAINT "spw_int4_users_age"`,
    ],
  },
  {
    client: ['ALTER TABLE people ALTER mail DROP NOT NULL'],
    spanner: [
      `DROP INDEX "users_email_key"`,
      `ALTER TABLE "users" ALTER COLUMN "email" TYPE character varying(100), ALTER COLUMN "email" DROP NOT NULL`,
      `CREATE UNIQUE INDEX "users_email_key_2" ON "users" ("email") WHERE "email" IS NOT NULL`,
    ],
  },
  {
    client: [
      'DROP VIEW names',
      'DROP TABLE posts',
      'CREATE TABLE posts (id int, x text)',
      'ALTER TABLE posts ADD PRIMARY KEY (id)',
    ],
    spanner: [
      `CREATE TABLE "posts_2" (
  "id" bigint NOT NULL,
  "x" character varying,
  CONSTRAINT "spw_int4_posts_2_id" CHECK ("id" BETWEEN -2147483648 AND 2147483647),
  PRIMARY KEY ("id")
)`,
      `ALTER TABLE "posts" DROP CONSTRAINT "posts_user_id_fkey"`,
      `DROP INDEX "by_pattern"`,
      `DROP INDEX "posts_user_id_title_idx"`,
      `DROP TABLE "posts"`,
      `DROP SEQUENCE "posts_id_seq"`,
    ],
  },
  {
    client: ['ALTER TABLE log DROP COLUMN n', 'ALTER TABLE log ADD COLUMN n text'],
    spanner: [
      `ALTER TABLE "log" ADD COLUMN "n_2" character varying`,
      `ALTER TABLE "log" DROP CONSTRAINT "spw_int4_log_n"`,
      `ALTER TABLE "log" DROP COLUMN "n"`,
    ],
  },
  {
    client: [
      'CREATE SCHEMA app',
      'CREATE TABLE app.a (id bigserial PRIMARY KEY, b_id bigint)',
      'CREATE TABLE app.b (id bigserial PRIMARY KEY, a_id bigint REFERENCES app.a)',
      'ALTER TABLE app.a ADD FOREIGN KEY (b_id) REFERENCES app.b DEFERRABLE INITIALLY DEFERRED',
    ],
    spanner: [
      `CREATE SCHEMA "app"`,
      `CREATE SEQUENCE "app"."a_id_seq" BIT_REVERSED_POSITIVE`,
      `CREATE SEQUENCE "app"."b_id_seq" BIT_REVERSED_POSITIVE`,
      `CREATE TABLE "app"."b" (
  "id" bigint DEFAULT (nextval('app.b_id_seq')) NOT NULL,
  "a_id" bigint,
  PRIMARY KEY ("id")
)`,
      `CREATE TABLE "app"."a" (
  "id" bigint DEFAULT (nextval('app.a_id_seq')) NOT NULL,
  "b_id" bigint,
  CONSTRAINT "a_b_id_fkey" FOREIGN KEY ("b_id") REFERENCES "app"."b" ("id"),
  PRIMARY KEY ("id")
)`,
      `ALTER TABLE "app"."b" ADD CONSTRAINT "b_a_id_fkey" FOREIGN KEY ("a_id") REFERENCES "app"."a" ("id")`,
    ],
  },
  {
    client: [
      `CREATE DOMAIN code AS varchar(8) NOT NULL CHECK (value <> '')`,
      'CREATE DOMAIN short AS code CHECK (length(value) < 4)',
      'CREATE TABLE coded (id bigint PRIMARY KEY, c code, s short, all_of code[])',
    ],
    spanner: [
      `CREATE TABLE "coded" (
  "id" bigint NOT NULL,
  "c" character varying(8) NOT NULL,
  "s" character varying(8) NOT NULL,
  "all_of" character varying(8)[],
  CONSTRAINT "spw_domain_c_code_check" CHECK ((("c")::text <> ''::text)),
  CONSTRAINT "spw_domain_s_code_check" CHECK ((("s")::text <> ''::text)),
  CONSTRAINT "spw_domain_s_short_check" CHECK ((length(("s")::text) < 4)),
  PRIMARY KEY ("id")
)`,
    ],
  },
  {
    client: [
      'ALTER TABLE coded DROP COLUMN all_of',
      'ALTER DOMAIN code DROP NOT NULL',
      'ALTER DOMAIN code DROP CONSTRAINT code_check',
    ],
    spanner: [
      `ALTER TABLE "coded" ALTER COLUMN "c" TYPE character varying(8), ALTER COLUMN "c" DROP NOT NULL`,
      `ALTER TABLE "coded" ALTER COLUMN "s" TYPE character varying(8), ALTER COLUMN "s" DROP NOT NULL`,
      `ALTER TABLE "coded" DROP CONSTRAINT "spw_domain_c_code_check"`,
      `ALTER TABLE "coded" DROP CONSTRAINT "spw_domain_s_code_check"`,
      `ALTER TABLE "coded" DROP COLUMN "all_of"`,
    ],
  },
  {
    client: ['DROP TABLE coded', 'DROP DOMAIN short, code'],
    spanner: [`DROP TABLE "coded"`],
  },
  {
    client: [
      'CREATE EXTENSION citext',
      'CREATE TABLE account (id bigint PRIMARY KEY, email citext NOT NULL UNIQUE, other text, nick citext)',
      'CREATE INDEX by_nick ON account (nick DESC) INCLUDE (email)',
    ],
    spanner: [
      `CREATE TABLE "account" (
  "id" bigint NOT NULL,
  "email" character varying NOT NULL,
  "other" character varying,
  "nick" character varying,
  "spw_lower_email" character varying GENERATED ALWAYS AS (lower(replace(replace("email", 'Σ', 'σ'), 'İ', 'i'))) STORED,
  "spw_lower_nick" character varying GENERATED ALWAYS AS (lower(replace(replace("nick", 'Σ', 'σ'), 'İ', 'i'))) STORED,
  PRIMARY KEY ("id")
)`,
      `CREATE UNIQUE INDEX "account_email_key" ON "account" ("spw_lower_email") WHERE "spw_lower_email" IS NOT NULL`,
      `CREATE INDEX "by_nick" ON "account" ("spw_lower_nick" DESC) INCLUDE ("email")`,
    ],
  },
  {
    client: ['DROP TABLE account', 'DROP EXTENSION citext'],
    spanner: [`DROP INDEX "account_email_key"`, `DROP INDEX "by_nick"`, `DROP TABLE "account"`],
  },
  {
    client: ['DROP SCHEMA app CASCADE', 'DROP TABLE people, posts, log'],
    spanner: [
      `ALTER TABLE "app"."a" DROP CONSTRAINT "a_b_id_fkey"`,
      `ALTER TABLE "app"."b" DROP CONSTRAINT "b_a_id_fkey"`,
      `DROP INDEX "users_email_key_2"`,
      `DROP INDEX "users_nick_key"`,
      `DROP TABLE "users"`,
      `DROP TABLE "log"`,
      `DROP TABLE "posts_2"`,
      `DROP TABLE "app"."a"`,
      `DROP TABLE "app"."b"`,
      `DROP SEQUENCE "users_id_seq"`,
      `DROP SEQUENCE "app"."a_id_seq"`,
      `DROP SEQUENCE "app"."b_id_seq"`,
      `DROP SCHEMA "app"`,
    ],
  },
]

/** What the difference refuses, with the sentence that the client gets. */
const REFUSED: readonly (readonly [string, string])[] = [
  ['CREATE TYPE d AS (n int)', 'composite type "d": this kind of object is not supported'],
  [
    `CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int)`,
    'aggregate "total": this kind of object is not supported',
  ],
  [
    'CREATE RULE r AS ON DELETE TO base DO INSTEAD NOTHING',
    'rule "r": this kind of object is not supported',
  ],
  [
    'CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id)',
    'partitioned table "p": this kind of object is not supported',
  ],
  [
    'CREATE TABLE c () INHERITS (base)',
    'table inheritance "public.c": this kind of object is not supported',
  ],
  [
    'CREATE MATERIALIZED VIEW m AS SELECT 1',
    'materialized view "m": this kind of object is not supported',
  ],
  ['CREATE EXTENSION dblink', 'extension "dblink" is not supported'],
  [
    'ALTER TABLE base ENABLE ROW LEVEL SECURITY',
    'row-level security "base": this kind of object is not supported',
  ],
  [
    'CREATE TABLE x (id int, EXCLUDE USING btree (id WITH =))',
    'exclusion constraint "x_id_excl": this kind of object is not supported',
  ],
  [
    'CREATE TABLE n (id numeric PRIMARY KEY)',
    'column "id" of table "n" cannot be part of key "n_pkey"',
  ],
  ['CREATE TABLE i (id int PRIMARY KEY, a xml)', 'column "a": type xml is not supported'],
  [
    'CREATE TABLE i (id int PRIMARY KEY, a text COLLATE "en-x-icu")',
    'column "a": collation pg_catalog."en-x-icu" is not supported',
  ],
  [
    'CREATE UNIQUE INDEX ON base (lower(t))',
    'unique index "base_lower_idx" over an expression or a column without sort order is not supported',
  ],
  [
    'CREATE UNIQUE INDEX ON base (t) WHERE n > 5',
    'unique index "base_t_idx" with this predicate is not supported',
  ],
  [
    'CREATE UNIQUE INDEX ON base (t) NULLS NOT DISTINCT',
    '"base_t_idx": NULLS NOT DISTINCT is not supported',
  ],
  [
    `ALTER TABLE base ADD CHECK (t ~* 'x')`,
    'check constraint "base_t_check" of table "base" is not supported',
  ],
  [
    'ALTER TABLE base ADD self int REFERENCES base ON DELETE SET NULL',
    'foreign key "base_self_fkey": SET NULL is not supported',
  ],
  [
    'ALTER TABLE base DROP CONSTRAINT base_pkey',
    'table "base" cannot be changed like this while it has rows',
  ],
  [
    'ALTER TABLE base ALTER t TYPE int USING 1',
    'table "base" cannot be changed like this while it has rows',
  ],
  [
    `ALTER TABLE base ADD j jsonb DEFAULT '{}'`,
    'column "j" cannot be added with this default: table "base" has rows',
  ],
  ['CREATE SEQUENCE s CYCLE', 'sequence "s": CYCLE is not supported'],
  [
    'ALTER SEQUENCE spread MAXVALUE 77',
    'sequence "spread" cannot be given bounds or a negative INCREMENT',
  ],
  ['CREATE SCHEMA spanwire', 'schema name "spanwire" is reserved'],
]

async function snapshotInside(database: TestDatabase, statements: readonly string[]) {
  await database.run('BEGIN', ...statements)
  return database.snapshot()
}

function refusal(base: Mapped, snapshot: Snapshot): unknown {
  try {
    return mapTo(base, snapshot).ddl
  } catch (error) {
    return error
  }
}

const fixture = await startCatalogFixture()
t.teardown(() => fixture.stop())

t.test('a schema that grows, changes and goes', async (t) => {
  const database = await fixture.makeDatabase()
  let state: Mapped = mapTo(undefined, await database.committedSnapshot())
  for (const step of STORY) {
    state = mapTo(state, await snapshotInside(database, step.client))
    t.same(state.ddl, step.spanner, step.client.join('; ').slice(0, 80))
    await database.run('COMMIT')
  }
  t.equal(state.rows.length, 1, 'public is left')
})

t.test('refuses what has no form', async (t) => {
  const database = await fixture.makeDatabase()
  await database.run(
    'CREATE TABLE base (id int PRIMARY KEY, t text, n int)',
    'CREATE SEQUENCE spread',
  )
  const base = mapTo(undefined, await database.committedSnapshot())
  for (const [statement, message] of REFUSED) {
    const snapshot = await snapshotInside(database, [statement])
    t.match(refusal(base, snapshot), { code: '0A000', message, fields: { hint: /./ } }, statement)
    await database.run('ROLLBACK')
  }
})

t.test('an empty table is replaced where Spanner cannot alter it', async (t) => {
  const database = await fixture.makeDatabase()
  await database.run(
    'CREATE TABLE base (id int PRIMARY KEY, t text UNIQUE)',
    'CREATE TABLE child (id bigint PRIMARY KEY, b int REFERENCES base)',
  )
  const before = mapTo(undefined, await database.committedSnapshot())
  const snapshot = await snapshotInside(database, ['ALTER TABLE base ALTER t TYPE bigint USING 1'])
  const asked = mapTo(before, snapshot, { isEmpty: () => undefined })
  t.same(asked.result.questions, ['base'])
  t.same(mapTo(before, snapshot, { isEmpty: () => true }).ddl, [
    `CREATE TABLE "base_2" (
  "id" bigint NOT NULL,
  "t" bigint,
  CONSTRAINT "spw_int4_base_2_id" CHECK ("id" BETWEEN -2147483648 AND 2147483647),
  PRIMARY KEY ("id")
)`,
    `CREATE UNIQUE INDEX "base_t_key_2" ON "base_2" ("t") WHERE "t" IS NOT NULL`,
    `ALTER TABLE "child" ADD CONSTRAINT "child_b_fkey_2" FOREIGN KEY ("b") REFERENCES "base_2" ("id")`,
    `ALTER TABLE "child" DROP CONSTRAINT "child_b_fkey"`,
    `DROP INDEX "base_t_key"`,
    `DROP TABLE "base"`,
  ])
})

t.test('sequences with bounds count, whatever the others do', async (t) => {
  const database = await fixture.makeDatabase()
  await database.run(
    'CREATE SEQUENCE few MINVALUE 10 MAXVALUE 12',
    'CREATE SEQUENCE down INCREMENT -2',
    'CREATE SEQUENCE least INCREMENT -1 MINVALUE -7',
    'CREATE SEQUENCE wide INCREMENT 5',
  )
  const made = mapTo(undefined, await database.committedSnapshot())
  const draws = made.rows.flatMap((row) => (row.kind === 'sequence' ? [row.nextvalSql] : []))
  t.same(draws.sort(), [
    `(((spanner.bit_reverse(nextval('least'), true) - 1) * -1 + -1) - (-7) - 9223372036854775807 - 1 + 1 + 9223372036854775807 + (-7))`,
    `((spanner.bit_reverse(nextval('down'), true) - 1) * -2 + -1)`,
    `(spanner.bit_reverse(nextval('few'), true) - (12) + 9223372036854775807 - 9223372036854775807 + (12))`,
    `nextval('wide')`,
  ])
})

t.test('a sequence that counts goes on from where it was when START changes', async (t) => {
  const database = await fixture.makeDatabase()
  await database.run('CREATE SEQUENCE steps START 100 INCREMENT 50 MAXVALUE 1000')
  const made = mapTo(undefined, await database.committedSnapshot())
  const altered = mapTo(
    made,
    await snapshotInside(database, ['ALTER SEQUENCE steps START 200 NO MAXVALUE']),
  )
  await database.run('COMMIT')
  const sequence = altered.rows.find((row) => row.kind === 'sequence')
  t.match(sequence, {
    origin: '100',
    nextvalSql: `((spanner.bit_reverse(nextval('steps'), true) - 1) * 50 + 100)`,
  })
})

t.test('ascending sequences count, and step as declared', async (t) => {
  const database = await fixture.makeDatabase()
  await database.run(
    'CREATE TABLE a (id serial PRIMARY KEY)',
    'CREATE SEQUENCE steps START 100 INCREMENT 50',
    'CREATE SEQUENCE later START 7',
  )
  const made = mapTo(undefined, await database.committedSnapshot(), { sequenceKind: 'ascending' })
  const draws = made.rows.flatMap((row) => (row.kind === 'sequence' ? [row.nextvalSql] : []))
  t.same(draws.sort(), [
    `((spanner.bit_reverse(nextval('steps'), true) - 1) * 50 + 100)`,
    `spanner.bit_reverse(nextval('a_id_seq'), true)`,
    `spanner.bit_reverse(nextval('later'), true)`,
  ])
  t.match(made.ddl, [
    'CREATE SEQUENCE "a_id_seq" BIT_REVERSED_POSITIVE',
    'CREATE SEQUENCE "steps" BIT_REVERSED_POSITIVE',
  ])
  t.ok(made.ddl.includes('CREATE SEQUENCE "later" BIT_REVERSED_POSITIVE START COUNTER WITH 7'))
})
