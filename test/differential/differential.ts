import fc from 'fast-check'
import type { Test } from 'tap'
import { Choices } from './choices.ts'
import { keepStatement, readCorpus } from './corpus.ts'
import { type Makers, makersFor } from './makers.ts'
import { type RandomStatement, randomStatement } from './random-statement.ts'
import { type Rule, readRules } from './rules.ts'
import { startReference, type TestedServer } from './servers.ts'
import { aggregateStatements, setFunctionStatements } from './set-statements.ts'
import { checkStatement } from './statement-check.ts'
import { isExpected, type SweepResult, sweepRules } from './sweep.ts'
import { SQLSTATE_OF } from './sweep-plan.ts'

/*
 * The allow-list is held to PostgreSQL in three ways, each over the same rows with extreme values and NULLs:
 *
 *   the corpus   statements that were answered otherwise once
 *   the rows     every operator, function, aggregate and cast by itself, over all of its values, and over those that it refuses
 *   by chance    SELECTs made of them; DIFFERENTIAL_STATEMENTS says how many, DIFFERENTIAL_SEED which ones
 */

const STATEMENTS = Number(process.env['DIFFERENTIAL_STATEMENTS'] ?? 400)
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 20_260_401)
/** Decisions of one statement at most. */
const DECISIONS = 120

/** What a server is held to, and by. */
interface Check {
  readonly reference: TestedServer
  readonly server: TestedServer
}

/** Holds a server to PostgreSQL row by row of the allow-list. */
export function testRows(t: Test, start: () => Promise<TestedServer | undefined>): Promise<void> {
  return withServers(t, start, async (check) => {
    await check.reference.run(SQLSTATE_OF)
    await checkRules(t, check, await readRules(check.reference))
  })
}

/** Holds a server to PostgreSQL by the corpus and by chance. */
export function testStatements(
  t: Test,
  start: () => Promise<TestedServer | undefined>,
): Promise<void> {
  return withServers(t, start, async (check) => {
    await t.test('statements that were answered otherwise once', (t) => checkCorpus(t, check))
    await t.test(`${STATEMENTS} statements by chance, seed ${SEED}`, (t) => checkByChance(t, check))
  })
}

async function withServers(
  t: Test,
  start: () => Promise<TestedServer | undefined>,
  work: (check: Check) => Promise<void>,
): Promise<void> {
  const server = await start()
  if (server === undefined) {
    t.pass('SKIPPED: the Spanner emulator is not on this machine', { skip: true })
    return
  }
  t.teardown(() => server.stop())
  const reference = await startReference()
  t.teardown(() => reference.stop())
  await work({ reference, server })
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
    const verdict = await checkStatement(reference, server, { sql, isOrdered: false })
    if (verdict.kind === 'unsupported') result.unsupported.push(`${sql}: ${verdict.message}`)
    else if (verdict.kind === 'different') result.differences.push(`${sql}\n${verdict.difference}`)
    else result.answered += 1
  }
  return result
}

async function checkByChance(t: Test, { reference, server }: Check): Promise<void> {
  const makers = makersFor(await readRules(reference), server.capabilities)
  const verdicts = new Map<string, number>()
  const found = await fc.check(
    fc.asyncProperty(decisions(), async (numbers) => {
      const statement = randomStatement(new Choices(numbers), makers)
      const verdict = await checkStatement(reference, server, statement)
      verdicts.set(verdict.kind, (verdicts.get(verdict.kind) ?? 0) + 1)
      if (verdict.kind === 'different') throw new Error(verdict.difference)
    }),
    { seed: SEED, numRuns: STATEMENTS },
  )
  t.comment(`${server.name}: ${JSON.stringify(Object.fromEntries(verdicts))}`)
  if (!found.failed) {
    t.ok((verdicts.get('equal') ?? 0) > STATEMENTS / 2, 'most statements are pushed down and equal')
    return
  }
  t.fail(keep(server, makers, found))
}

function decisions() {
  const number = fc.nat({ max: 65_535 })
  return fc.array(number, { minLength: DECISIONS, maxLength: DECISIONS, size: 'max' })
}

/** Keeps the simplest statement that fails, and says where. */
function keep(server: TestedServer, makers: Makers, found: fc.RunDetails<[number[]]>): string {
  const [numbers = []] = found.counterexample ?? []
  const statement: RandomStatement = randomStatement(new Choices(numbers), makers)
  const file = keepStatement(statement, `${server.name}, seed ${SEED}`)
  return `${statement.sql}\n${String(found.errorInstance)}\nkept as ${file}`
}
