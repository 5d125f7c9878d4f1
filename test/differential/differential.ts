import fc from 'fast-check'
import type { Test } from 'tap'
import { orSkip } from '../helpers/on-emulator.ts'
import { withCalls } from './calls.ts'
import { inChangedBlock } from './changed-tables.ts'
import { Choices } from './choices.ts'
import { keepStatement, readCorpus } from './corpus.ts'
import { type Makers, makersFor } from './makers.ts'
import { randomSelect } from './random-emulated.ts'
import { type RandomStatement, randomStatement } from './random-statement.ts'
import { type Rule, readRules } from './rules.ts'
import { startReference, type TestedServer } from './servers.ts'
import { aggregateStatements, setFunctionStatements } from './set-statements.ts'
import { checkStatement, type Verdict } from './statement-check.ts'
import { isExpected, type SweepResult, sweepRules } from './sweep.ts'
import { SQLSTATE_OF } from './sweep-plan.ts'

/*
 * Answers are held to PostgreSQL in five ways, each over the same rows with extreme values and NULLs:
 *
 *   the corpus   statements that were answered otherwise once
 *   the rows     every operator, function, aggregate and cast by itself, over all of its values, and over those that it refuses
 *   by chance    SELECTs made of them, which are pushed down
 *   any SELECT   the same and those that Spanner cannot run, which are emulated
 *   changed      any SELECT in a transaction that has changed the tables
 *
 * DIFFERENTIAL_STATEMENTS says how many statements there are by chance, DIFFERENTIAL_SEED which ones.
 */

const STATEMENTS = Number(process.env['DIFFERENTIAL_STATEMENTS'] ?? 1_000)
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 20_260_401)
/** Each of them is several statements of a block. */
const CHANGED_STATEMENTS = Math.ceil(STATEMENTS / 4)
/** Decisions of one statement at most. */
const DECISIONS = 120

/** What a server is held to, and by. */
interface Check {
  readonly reference: TestedServer
  readonly server: TestedServer
}

type Start = () => Promise<TestedServer | undefined>

/** Holds a server to PostgreSQL row by row of the allow-list. */
export function testRows(t: Test, start: Start): Promise<void> {
  return withServers(t, start, async (check) => {
    await check.reference.run(SQLSTATE_OF)
    await checkRules(t, check, await readRules(check.reference))
  })
}

/** Holds a server to PostgreSQL by the corpus and by chance. */
export function testStatements(t: Test, start: Start): Promise<void> {
  return withServers(t, start, async (check) => {
    await t.test('statements that were answered otherwise once', (t) => checkCorpus(t, check))
    await t.test(`${STATEMENTS} statements by chance, seed ${SEED}`, async (t) => {
      const verdicts = await checkByChance(t, check, {
        make: randomStatement,
        of: (makers) => makers,
        mayBeUnsupported: true,
      })
      t.ok(verdicts.equal > STATEMENTS / 2, 'most statements are pushed down and equal')
    })
  })
}

/** Holds a server to PostgreSQL by any SELECT, emulated where Spanner cannot run it. */
export function testSelects(t: Test, start: Start): Promise<void> {
  return withServers(t, start, async (check) => {
    await t.test(`${STATEMENTS} SELECTs by chance, seed ${SEED}`, async (t) => {
      const verdicts = await checkByChance(t, check, {
        make: randomSelect,
        of: withCalls,
        mayBeUnsupported: false,
      })
      t.ok(verdicts.equal > STATEMENTS / 2, 'most statements are equal')
    })
  })
}

/** Holds a server to PostgreSQL by any SELECT in a transaction that has changed the tables. */
export function testChangedTables(t: Test, start: Start): Promise<void> {
  return withServers(t, start, async ({ reference, server }) => {
    await t.test(`${CHANGED_STATEMENTS} SELECTs by chance, seed ${SEED}`, async (t) => {
      const check = {
        reference: await inChangedBlock(reference),
        server: await inChangedBlock(server),
      }
      const verdicts = await checkByChance(t, check, {
        make: randomSelect,
        of: withCalls,
        mayBeUnsupported: false,
        statements: CHANGED_STATEMENTS,
      })
      t.ok(verdicts.equal > CHANGED_STATEMENTS / 2, 'most statements are equal')
    })
  })
}

async function withServers(
  t: Test,
  start: Start,
  work: (check: Check) => Promise<void>,
): Promise<void> {
  await orSkip(t, start, async (server) => {
    const reference = await startReference()
    t.teardown(() => reference.stop())
    await work({ reference, server })
  })
}

async function checkCorpus(t: Test, { reference, server }: Check): Promise<void> {
  const corpus = readCorpus()
  for (const statement of corpus) {
    const verdict = await checkStatement(reference, server, statement)
    t.not(verdict.kind, 'different', `${statement.name}: ${statement.sql}`, { verdict })
  }
  t.ok(corpus.length > 0, `${corpus.length} statements`)
}

/** A row that the backend has must be pushed down, and never differ. */
async function checkRules(
  t: Test,
  { reference, server }: Check,
  rules: readonly Rule[],
): Promise<void> {
  const isSet = (rule: Rule) => rule.kind === 'aggregate' || rule.returnsSet
  const single = rules.filter((rule) => !isSet(rule))
  for (const result of await sweepRules(reference, server, single)) {
    checkResult(t, server, result)
    if (isExpected(result.rule, server)) t.same(result.unsupported, [], result.rule.signature)
  }
  for (const rule of rules.filter(isSet))
    checkResult(t, server, await runStatements(reference, server, rule))
}

function checkResult(t: Test, server: TestedServer, result: SweepResult): void {
  const { signature } = result.rule
  t.same(result.differences, [], signature)
  // A series that the server cannot make is computed beforehand, and bound as an array.
  const isMade = result.rule.returnsSet && result.rule.needs === 'generateSeries'
  if (isMade) t.ok(result.answered > 0, `${signature} is made`)
  else if (isExpected(result.rule, server)) t.ok(result.answered > 0, `${signature} is pushed down`)
  else t.equal(result.answered, 0, `${signature} waits for ${result.rule.needs}`)
}

/** Aggregates, and functions in FROM: some of their forms may not be for this server. */
async function runStatements(
  reference: TestedServer,
  server: TestedServer,
  rule: Rule,
): Promise<SweepResult> {
  const result: SweepResult = { rule, differences: [], unsupported: [], answered: 0 }
  for (const sql of rule.returnsSet ? setFunctionStatements(rule) : aggregateStatements(rule)) {
    const verdict = await checkStatement(reference, server, {
      sql,
      isOrdered: false,
      parameters: [],
    })
    if (verdict.kind === 'unsupported') result.unsupported.push(`${sql}: ${verdict.message}`)
    else if (verdict.kind === 'different') result.differences.push(`${sql}\n${verdict.difference}`)
    else result.answered += 1
  }
  return result
}

interface Generator {
  readonly make: (choices: Choices, makers: Makers) => RandomStatement
  /** What expressions are made of, beside the allow-list. */
  readonly of: (listed: Makers) => Makers
  /** Whether a statement may be one that Spanner cannot run. */
  readonly mayBeUnsupported: boolean
  /** How many; STATEMENTS where absent. */
  readonly statements?: number
}

/** How many statements came to which verdict. Fails where one differed, and keeps it. */
async function checkByChance(
  t: Test,
  { reference, server }: Check,
  generator: Generator,
): Promise<Record<Verdict['kind'], number>> {
  const makers = generator.of(makersFor(await readRules(reference), server.capabilities))
  const make = (numbers: readonly number[]) => generator.make(new Choices(numbers), makers)
  const verdicts = { ...NO_VERDICTS }
  const found = await fc.check(
    fc.asyncProperty(decisions(), async (numbers) => {
      const verdict = await checkStatement(reference, server, make(numbers))
      verdicts[verdict.kind] += 1
      if (verdict.kind === 'different') throw new Error(verdict.difference)
      if (verdict.kind === 'unsupported' && !generator.mayBeUnsupported)
        throw new Error(verdict.message)
    }),
    { seed: SEED, numRuns: generator.statements ?? STATEMENTS },
  )
  t.comment(`${server.name}: ${JSON.stringify(verdicts)}`)
  if (found.failed) t.fail(keep(server, make, found))
  return verdicts
}

const NO_VERDICTS: Record<Verdict['kind'], number> = {
  equal: 0,
  unsupported: 0,
  'both-failed': 0,
  'postgresql-failed': 0,
  'beyond-spanner': 0,
  different: 0,
}

function decisions() {
  const number = fc.nat({ max: 65_535 })
  return fc.array(number, { minLength: DECISIONS, maxLength: DECISIONS, size: 'max' })
}

/** Keeps the simplest statement that fails, and says where. */
function keep(
  server: TestedServer,
  make: (numbers: readonly number[]) => RandomStatement,
  found: fc.RunDetails<[number[]]>,
): string {
  const [numbers = []] = found.counterexample ?? []
  const statement = make(numbers)
  const file = keepStatement(statement, `${server.name}, seed ${SEED}`)
  return `${statement.sql}\n${String(found.errorInstance)}\nkept as ${file}`
}
