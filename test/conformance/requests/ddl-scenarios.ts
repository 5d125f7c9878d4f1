import type { Scenario } from './script.ts'

/** Requests that are refused, in whole or from some statement on. */
const REFUSED: readonly (readonly string[])[] = [
  ['DROP TABLE nope'],
  ['DROP TABLE p'],
  ['DROP TABLE k'],
  ['DROP INDEX nope'],
  ['CREATE TABLE p (id bigint PRIMARY KEY)'],
  ['nonsense'],
  [''],
  ['SELECT 1'],
  ['CREATE TABLE x (id bigint, m bigint, PRIMARY KEY (id, m)) INTERLEAVE IN PARENT nope'],
  ['CREATE TABLE x (id varchar, m bigint, PRIMARY KEY (id, m)) INTERLEAVE IN PARENT p'],
  ['CREATE TABLE x (m bigint, id bigint, PRIMARY KEY (m, id)) INTERLEAVE IN PARENT p'],
  ['CREATE TABLE x (id bigint, m bigint, PRIMARY KEY (id, m)) INTERLEAVE IN p'],
  [
    'CREATE TABLE x (id bigint, m bigint, o bigint, PRIMARY KEY (id, m, o)) INTERLEAVE IN PARENT c ON DELETE CASCADE',
  ],
  ['ALTER TABLE c ALTER COLUMN v SET NOT NULL'],
  ['ALTER TABLE d ALTER COLUMN v SET NOT NULL'],
  ['ALTER TABLE p ALTER COLUMN name TYPE bigint'],
  ['ALTER TABLE p DROP COLUMN name'],
  ['ALTER TABLE p DROP COLUMN id'],
  ['ALTER TABLE p DROP COLUMN nope'],
  ['ALTER TABLE k DROP COLUMN v'],
  ['ALTER TABLE g DROP COLUMN n'],
  ['ALTER TABLE r DROP COLUMN pid'],
  ['ALTER TABLE r DROP CONSTRAINT nope'],
  ['ALTER TABLE g ADD CONSTRAINT g_m CHECK (n > 1)'],
  ['ALTER TABLE g ADD CONSTRAINT g_m CHECK (nope > 0)'],
  ['ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (n) REFERENCES p (id)'],
  ['ALTER TABLE k ADD CONSTRAINT k_p FOREIGN KEY (v) REFERENCES p (id)'],
  ['ALTER TABLE k ADD CONSTRAINT k_p FOREIGN KEY (b) REFERENCES p (name)'],
  ['ALTER TABLE p ADD COLUMN note varchar'],
  ['ALTER TABLE nope ADD COLUMN a bigint'],
  ['ALTER TABLE p SET ON DELETE NO ACTION'],
  ['DROP VIEW nope'],
  ['CREATE VIEW vx SQL SECURITY INVOKER AS SELECT nope FROM p'],
  ['CREATE VIEW vx AS SELECT id FROM p'],
  ['DROP SEQUENCE nope'],
  ['CREATE SEQUENCE sq BIT_REVERSED_POSITIVE'],
  ['CREATE TABLE s.t (id bigint PRIMARY KEY)'],
  ['DROP SCHEMA nope'],
]

/** Requests that change something, one after the other. */
const CHANGES: readonly (readonly string[])[] = [
  ['DROP INDEX k_v', 'DROP INDEX k_vd', 'DROP INDEX k_w', 'DROP INDEX k_f', 'DROP TABLE k'],
  ['DROP INDEX IF EXISTS nope'],
  ['DROP TABLE IF EXISTS nope'],
  ['CREATE TABLE IF NOT EXISTS p (id bigint PRIMARY KEY)'],
  ['CREATE TABLE x (id bigint PRIMARY KEY)', 'CREATE TABLE x (id bigint PRIMARY KEY)'],
  ['CREATE TABLE x (id bigint PRIMARY KEY)', 'nonsense'],
  [
    'CREATE TABLE x (id bigint PRIMARY KEY)',
    'CREATE INDEX x_y ON x (nope)',
    'CREATE TABLE y (id bigint PRIMARY KEY)',
  ],
  ['CREATE UNIQUE INDEX k_u ON k (v)'],
  ['ALTER TABLE p ALTER COLUMN name DROP NOT NULL'],
  ['ALTER TABLE r DROP CONSTRAINT r_p', 'ALTER TABLE r DROP COLUMN pid'],
  ['ALTER TABLE g DROP CONSTRAINT g_n'],
  ['ALTER TABLE g ADD CONSTRAINT g_m CHECK (n > 0)'],
  ['ALTER TABLE g ADD CONSTRAINT g_n CHECK (n > 0)'],
  ['ALTER TABLE d ADD CONSTRAINT d_r FOREIGN KEY (n) REFERENCES self (id)'],
  ['ALTER TABLE p ADD COLUMN extra bigint'],
  ['ALTER TABLE p ADD COLUMN IF NOT EXISTS note varchar'],
  ['ALTER TABLE p ADD COLUMN extra bigint NOT NULL DEFAULT 3'],
  ['ALTER TABLE p ADD COLUMN extra bigint NOT NULL'],
  ['ALTER TABLE g ADD COLUMN thrice bigint GENERATED ALWAYS AS (id * 3) STORED'],
  ['ALTER TABLE c SET ON DELETE CASCADE'],
  ['ALTER TABLE d SET ON DELETE NO ACTION'],
  ['DROP VIEW vw'],
  [
    'ALTER TABLE p DROP COLUMN note',
    'CREATE OR REPLACE VIEW vw SQL SECURITY INVOKER AS SELECT id FROM p',
  ],
  ['DROP SEQUENCE sq'],
  ['CREATE SCHEMA s', 'CREATE TABLE s.t (id bigint PRIMARY KEY)', 'DROP SCHEMA s'],
  ['ANALYZE'],
]

/** Requests of which the two servers make something else. */
const OTHERWISE: readonly (readonly string[])[] = [
  ['ALTER TABLE p ALTER COLUMN name TYPE varchar(5)'],
  ['ALTER TABLE p ALTER COLUMN name TYPE varchar(2)'],
  ['ALTER TABLE p ALTER COLUMN name TYPE bytea'],
  ['ALTER TABLE p RENAME TO pp'],
  ['ALTER TABLE p ADD SYNONYM pp'],
]

const DROP_XYZ = ['z', 'y', 'x'].map((name) => `DROP TABLE IF EXISTS ${name}`)

/** Row deletion policies; the tables x, y and z are gone before each. */
const TTLS: readonly (readonly string[])[] = [
  ["CREATE TABLE x (id bigint PRIMARY KEY, ts timestamptz) TTL INTERVAL '3 days' ON ts"],
  ["CREATE TABLE x (id bigint PRIMARY KEY, ts timestamptz) TTL INTERVAL '0 days' ON ts"],
  ["CREATE TABLE x (id bigint PRIMARY KEY, ts timestamptz) TTL INTERVAL '-3 days' ON ts"],
  ["CREATE TABLE x (id bigint PRIMARY KEY, ts timestamptz) TTL INTERVAL '3 hours' ON ts"],
  ["CREATE TABLE x (id bigint PRIMARY KEY, ts timestamptz) TTL INTERVAL '3 weeks 2 days' ON ts"],
  ["CREATE TABLE x (id bigint PRIMARY KEY, ts timestamptz) TTL INTERVAL 'nonsense' ON ts"],
  ["ALTER TABLE ty ADD TTL INTERVAL '3 days' ON ts"],
  [
    "ALTER TABLE ty ADD TTL INTERVAL '3 days' ON ts",
    "ALTER TABLE ty ADD TTL INTERVAL '4 days' ON ts",
  ],
  ["ALTER TABLE ty ALTER TTL INTERVAL '3 days' ON ts"],
  [
    "ALTER TABLE ty ADD TTL INTERVAL '3 days' ON ts",
    "ALTER TABLE ty ALTER TTL INTERVAL '5 days' ON ts",
  ],
  ['ALTER TABLE ty DROP TTL'],
  ["ALTER TABLE ty ADD TTL INTERVAL '3 days' ON ts", 'ALTER TABLE ty DROP TTL'],
  ["ALTER TABLE ty ADD TTL INTERVAL '3 days' ON ts", 'ALTER TABLE ty DROP COLUMN ts'],
  ["ALTER TABLE ty ADD TTL INTERVAL '3 days' ON ts", 'ALTER TABLE ty ALTER COLUMN ts TYPE varchar'],
  ['ALTER TABLE p ADD COLUMN ts timestamptz', "ALTER TABLE p ADD TTL INTERVAL '3 days' ON ts"],
  ['ALTER TABLE c ADD COLUMN ts timestamptz', "ALTER TABLE c ADD TTL INTERVAL '3 days' ON ts"],
  [
    'DROP TABLE c',
    'ALTER TABLE p ADD COLUMN ts timestamptz',
    "ALTER TABLE p ADD TTL INTERVAL '3 days' ON ts",
  ],
  [
    'DROP TABLE c',
    'ALTER TABLE r DROP CONSTRAINT r_p',
    'ALTER TABLE p ADD COLUMN ts timestamptz',
    "ALTER TABLE p ADD TTL INTERVAL '3 days' ON ts",
  ],
  [
    "CREATE TABLE x (id bigint PRIMARY KEY, ts timestamptz) TTL INTERVAL '3 days' ON ts",
    'CREATE TABLE y (id bigint, m bigint, PRIMARY KEY (id, m)) INTERLEAVE IN PARENT x',
  ],
  [
    "CREATE TABLE x (id bigint PRIMARY KEY, ts timestamptz) TTL INTERVAL '3 days' ON ts",
    'CREATE TABLE y (id bigint, m bigint, PRIMARY KEY (id, m)) INTERLEAVE IN PARENT x ON DELETE CASCADE',
    'CREATE TABLE z (id bigint, m bigint, n bigint, PRIMARY KEY (id, m, n)) INTERLEAVE IN PARENT y',
  ],
  [
    'CREATE TABLE x (id bigint PRIMARY KEY, ts timestamptz)',
    'CREATE TABLE y (id bigint, m bigint, PRIMARY KEY (id, m)) INTERLEAVE IN PARENT x ON DELETE CASCADE',
    'CREATE TABLE z (id bigint, m bigint, n bigint, PRIMARY KEY (id, m, n)) INTERLEAVE IN PARENT y',
    "ALTER TABLE x ADD TTL INTERVAL '3 days' ON ts",
  ],
  [
    "CREATE TABLE x (id bigint PRIMARY KEY, ts timestamptz) TTL INTERVAL '3 days' ON ts",
    'CREATE TABLE y (id bigint PRIMARY KEY, m bigint REFERENCES x (id))',
  ],
  [
    "CREATE TABLE x (id bigint PRIMARY KEY, ts timestamptz) TTL INTERVAL '3 days' ON ts",
    'CREATE TABLE y (id bigint PRIMARY KEY, m bigint REFERENCES x (id) ON DELETE CASCADE)',
  ],
  [
    "CREATE TABLE x (id bigint PRIMARY KEY, ts timestamptz) TTL INTERVAL '3 days' ON ts",
    'CREATE TABLE y (id bigint, m bigint, PRIMARY KEY (id, m)) INTERLEAVE IN PARENT x ON DELETE CASCADE',
    'ALTER TABLE y SET ON DELETE NO ACTION',
  ],
]

export const DDL_SCENARIOS: readonly Scenario[] = [
  ...Object.entries({
    refused: REFUSED,
    changes: CHANGES,
    otherwise: OTHERWISE,
    ttl: TTLS,
  }).map(
    ([name, requests]): Scenario => ({
      name: `ddl, ${name}`,
      isDdl: true,
      write: (script) => {
        const { database } = script
        for (const statements of requests) {
          if (requests === TTLS)
            script.call('updateDatabaseDdl', { database, statements: DROP_XYZ }, 'before')
          script.ddl(...statements)
          if (requests === TTLS) script.call('getDatabaseDdl', { database })
        }
        if (requests !== OTHERWISE) script.call('getDatabaseDdl', { database })
      },
    }),
  ),
  {
    name: 'admin requests',
    isDdl: true,
    write: (script) => {
      const { database } = script
      const statements = ['CREATE TABLE x (id bigint PRIMARY KEY)']
      const none = 'projects/p/instances/i/databases/none'
      script.call('getDatabaseDdl', { database: none }, 'of none')
      script.call('getDatabaseDdl', { database: 'nonsense' }, 'of nonsense')
      script.call('getDatabase', { name: 'nonsense' }, 'of nonsense')
      script.call('dropDatabase', { database: none }, 'of none')
      script.call('updateDatabaseDdl', { database: none, statements }, 'of none')
      script.call('updateDatabaseDdl', { database }, 'without statements')
      script.call('updateDatabaseDdl', { database, statements, operationId: 'own' }, 'own id')
      script.call('updateDatabaseDdl', { database, statements, operationId: 'own' }, 'own id again')
      script.call(
        'updateDatabaseDdl',
        { database, statements, operationId: 'Not-One' },
        'a wrong id',
      )
      script.call('getOperation', { name: 'nonsense' }, 'nonsense')
    },
  },
  {
    name: 'a schema change under a transaction',
    isDdl: true,
    write: (script) => {
      const session = script.session()
      const snapshot = script.begin(session, { readOnly: { strong: true } })
      script.sql(snapshot, 'SELECT id FROM p ORDER BY id')
      script.ddl('ALTER TABLE p ADD COLUMN extra bigint')
      script.sql(snapshot, 'SELECT id FROM p ORDER BY id', {}, 'the old schema')
      script.sql(session, 'SELECT extra FROM p ORDER BY id')
      script.read(session, 'p', { columns: ['id', 'extra'], keySet: { all: true } })
    },
  },
]
