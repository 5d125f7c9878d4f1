import t from 'tap'
import type { ParamSource, PushdownRoute } from '../../server/plan/plan.ts'
import { DIALECT } from '../../server/sql/dialect-lookup.ts'
import type { SpannerType } from '../../server/types/spanner-type.ts'
import { findStorage } from '../../server/types/storage.ts'
import { contextOf, emitRecorded, readRecordedTrees, readSchemaFixture } from './emit-fixture.ts'
import { readGoldenScripts, treeKey } from './golden-script.ts'
import { physicalDdl } from './physical-fixture.ts'
import { type Emulator, findEmulator, startEmulator } from './spanner-emulator.ts'

const LEAST_STATEMENTS = 120
const program = findEmulator()

/** Errors of the data, not of the statement: it was analysed and began to run. */
const RAN =
  /previously existing row|previously inserted row|division by zero|More than one element|overflow|Cannot specify a null value/

t.test(
  'Spanner takes every statement that is written for it, and answers the types that are stored',
  { skip: program === undefined ? 'NO SPANNER EMULATOR HERE: set SPANNER_EMULATOR_BIN' : false },
  async (tt) => {
    const schema = readSchemaFixture()
    const ddl = physicalDdl(schema)
    const trees = readRecordedTrees()
    let emulator = await start(ddl)
    tt.teardown(() => emulator.stop())
    let count = 0
    const cases = readGoldenScripts().flatMap((script) =>
      script.cases.map((golden) => ({ ...golden, key: treeKey(script, golden) })),
    )
    for (const { statement, key } of cases) {
      const emitted = emitRecorded(trees[key] ?? '', contextOf(schema, 'emulator', DIALECT))
      if (emitted.kind === 'refused') continue
      count += 1
      const problem = await complaint(emulator, emitted.route)
      tt.equal(problem, undefined, `${statement}\n${emitted.route.sql}`)
      if (!emulator.isAlive()) {
        await emulator.stop()
        emulator = await start(ddl)
      }
    }
    tt.ok(count >= LEAST_STATEMENTS, `${count} statements`)
  },
)

async function start(ddl: readonly string[]): Promise<Emulator> {
  const emulator = await startEmulator(program ?? '', ddl)
  for (const sql of ROWS) await emulator.write(sql)
  return emulator
}

/** Rows with and without NULLs: the emulator dies of some of them where a guard is missing. */
const ROWS = [
  `INSERT INTO author (id, name, email, born) VALUES (1, 'Ann', 'a@x', '2000-01-01'), (2, 'Bob', NULL, NULL)`,
  `INSERT INTO book (id, author_id, title, price, rating, pages, stock, published, details, tags, code) VALUES
    (1, 1, 'One', 1.50, 4.5, 10, 1, '2024-01-01 00:00:00+00', '{"a": 1}', ARRAY['x', 'y'], 'abc'),
    (2, 1, 'Two', 1.5, NULL, NULL, 2, NULL, NULL, NULL, NULL), (3, NULL, 'Three', NULL, 2.5, NULL, 3, NULL, NULL, NULL, 'x')`,
  `INSERT INTO shelf (room, place, book_id, note, weight) VALUES (1, 1, 1, 'n', 1.5), (1, 2, NULL, NULL, NULL)`,
  `INSERT INTO entry (key, value, n, big, amount) VALUES ('k', 'v', 1, 2, 3.25), ('l', NULL, NULL, NULL, NULL)`,
]

/** What is wrong with a statement in the emulator's eyes; undefined where nothing is. */
async function complaint(emulator: Emulator, route: PushdownRoute): Promise<string | undefined> {
  try {
    const params = route.params.map((source) => ({ type: source.type, value: sample(source) }))
    const answer = await emulator.run(route.sql, params)
    const found = answer.columnTypes.join(', ')
    const wanted = route.columns.map((column) => storedAs(column.typeOid)).join(', ')
    return found === wanted ? undefined : `columns are ${found}, stored are ${wanted}`
  } catch (error) {
    const text = String(error)
    return RAN.test(text) ? undefined : text
  }
}

function storedAs(typeOid: number): string {
  const type = findStorage(typeOid, -1)?.type
  return type === undefined ? 'nothing' : nameOf(type)
}

function nameOf(type: SpannerType): string {
  return type.element === undefined ? type.code : `${nameOf(type.element)}[]`
}

/** Some value of the parameter's type; LIMIT and OFFSET take no NULL. */
function sample({ type }: ParamSource): unknown {
  return type.element === undefined ? SAMPLES[type.code] : [SAMPLES[type.element.code]]
}

const SAMPLES: Readonly<Record<string, unknown>> = {
  BOOL: true,
  INT64: '1',
  FLOAT64: 1.5,
  FLOAT32: 1.5,
  TIMESTAMP: '2024-01-01T00:00:00Z',
  DATE: '2024-01-01',
  STRING: 'x',
  BYTES: 'AQI=',
  NUMERIC: '1.5',
  JSON: '{"a": 1}',
}
