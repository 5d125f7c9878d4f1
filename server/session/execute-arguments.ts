import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { ReadAnswer } from '../companion/companion-types.ts'
import { typeOf } from '../plan/expression-type.ts'
import { findCallSites } from '../sql/call-sites.ts'
import type { ExecuteArgument } from '../sql/prepared-commands.ts'
import { readQueryTree } from '../sql/query-tree-reader.ts'
import { parseStatements } from '../sql/statement.ts'
import { OID } from '../types/pg-type.ts'
import { splitDataRow } from '../wire/data-row.ts'
import { BINARY_FORMAT, type Format, TEXT_FORMAT } from '../wire/field-description.ts'
import { evaluateInOrder } from './calls-in-order.ts'
import { mustBe, withFields } from './client-error.ts'
import { companionText } from './companion-text.ts'
import { doesSomething, isSessionFunction } from './session-functions.ts'
import type { SessionState } from './session-state.ts'
import { textWithSessionValues, withoutMark } from './session-values.ts'
import { askCatalogs, catalogSource } from './temporary-tables.ts'
import { textRequest } from './text-request.ts'

/*
 * PostgreSQL:  EXECUTE p (1 + 1, 'a')     each argument assigned to the type of its parameter, without a modifier
 * companion:   SELECT CAST((1 + 1) AS bigint), CAST(('a') AS text)
 *
 * A cast would do more than an assignment does: whether PostgreSQL assigns is asked first (EvaluateParams of commands/prepare.c).
 */

/** The values of EXECUTE's arguments, and the format of each. */
export interface ExecuteValues {
  readonly formats: readonly Format[]
  readonly values: readonly (Buffer | null)[]
}

/** Has the companion compute the arguments; `types` are those of the parameters, domains among them. */
export async function executeArguments(
  state: SessionState,
  args: readonly ExecuteArgument[],
  types: readonly number[],
): Promise<ExecuteValues> {
  if (args.length === 0) return { formats: [BINARY_FORMAT], values: [] }
  await demandAssignable(state, args, types)
  const formats = types.map((type) => (NAMED_BY_OID.has(type) ? TEXT_FORMAT : BINARY_FORMAT))
  const names = await typeNames(state, types)
  const casts = args.map((arg, index) => `CAST((${arg.text}) AS ${names[index]})`)
  const [select] = parseStatements(`${SELECT}${casts.join(SEPARATOR)}`)
  const { text, node } = await companionText(state, mustBe(select), false)
  const { once } = findCallSites(text, node, isSessionFunction)
  const sites = once.some(({ name }) => doesSomething(name)) ? once : []
  const read = (evaluated: string) => readArguments(state, evaluated, formats)
  const answer = await evaluateInOrder(state, { text, sites }, read).catch((error: unknown) => {
    throw error instanceof PgError ? inExecute(error, args, casts) : error
  })
  const [row] = answer.rows
  return { formats, values: row === undefined ? [] : splitDataRow(row) }
}

/** What these types say of a value is an OID of the companion's; its name means the same in a scratch database. */
const NAMED_BY_OID = new Set<number>([
  OID.regproc,
  OID.regprocedure,
  OID.regclass,
  OID.regtype,
  OID.regnamespace,
  OID.regrole,
])

/** 42804 for an argument whose type PostgreSQL casts to the parameter's only where a cast is written. */
async function demandAssignable(
  state: SessionState,
  args: readonly ExecuteArgument[],
  types: readonly number[],
): Promise<void> {
  if (args.every(({ text }) => UNTYPED.test(text))) return
  const given = await givenTypes(state, args)
  const [refused] = await askCatalogs(state, FIRST_REFUSED, [
    `{${given.join(',')}}`,
    `{${types.join(',')}}`,
  ])
  if (refused === undefined) return
  const number = Number(refused['n'])
  throw new PgError(
    SQL_STATE.datatypeMismatch,
    `parameter $${number} of type ${refused['given']} cannot be coerced to the expected type ${refused['wanted']}`,
    {
      hint: 'You will need to rewrite or cast the expression.',
      position: (args[number - 1]?.offset ?? 0) + 1,
    },
  )
}

const UNTYPED = /^\s*(?:'(?:[^'\\]|'')*'|null)\s*$/i

/** The types that the arguments have before they are assigned: a row leaves literals without one. */
async function givenTypes(
  state: SessionState,
  args: readonly ExecuteArgument[],
): Promise<readonly number[]> {
  const row = `${ROW}${args.map(({ text }) => `(${text})`).join(SEPARATOR)})`
  const pieces = args.map(({ text }) => `(${text})`)
  const { tree } = await catalogSource(state)
    .analyse({ text: row, paramTypes: [], session: state.context(), signal: state.scope.signal })
    .catch((error: unknown) => {
      throw error instanceof PgError ? inExecute(error, args, pieces, ROW.length) : error
    })
  const [query] = tree === undefined ? [] : readQueryTree(tree)
  const expr = query?.targetList[0]?.expr
  return expr?.kind === 'RowExpr' ? expr.args.map(typeOf) : args.map(() => OID.unknown)
}

/** can_coerce_type and find_coercion_pathway of parser/parse_coerce.c under COERCION_ASSIGNMENT. */
const FIRST_REFUSED = `
  WITH pair AS (
    SELECT n, given, wanted, CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE wanted END AS target, t.typtype AS sort,
      CASE s.typtype WHEN 'd' THEN s.typbasetype ELSE given END AS source,
      CASE WHEN s.typcategory = 'A' AND t.typcategory = 'A' THEN s.typelem END AS source_element, coalesce(e.oid, t.oid) AS part,
      coalesce(e.typcategory, t.typcategory) = 'S' AND (e.oid IS NULL OR s.typcategory = 'A') AS is_text
    FROM unnest($1::oid[], $2::oid[]) WITH ORDINALITY AS p(given, wanted, n)
    JOIN pg_catalog.pg_type s ON s.oid = given JOIN pg_catalog.pg_type t ON t.oid = wanted
    LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A')
  SELECT n, pg_catalog.format_type(given, NULL) AS given, pg_catalog.format_type(wanted, NULL) AS wanted FROM pair
  WHERE source NOT IN (target, 705) AND NOT is_text AND NOT (given = 2249 AND sort = 'c')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_cast WHERE castcontext <> 'e' AND (castsource, casttarget) IN (
      (source, target), (source_element, part)))
  ORDER BY n LIMIT 1`

async function readArguments(
  state: SessionState,
  text: string,
  resultFormats: readonly Format[],
): Promise<ReadAnswer> {
  const asked = textRequest(state, await textWithSessionValues(state, text))
  const reading = catalogSource(state).read({ ...asked, resultFormats })
  return reading.catch((error: unknown) => {
    throw withoutMark(error)
  })
}

const SELECT = 'SELECT '
const ROW = 'SELECT ROW('
const SEPARATOR = ', '

/** An error in the SELECT of the arguments points into the EXECUTE instead: to its place in the argument, or to the whole of it. */
function inExecute(
  error: PgError,
  args: readonly ExecuteArgument[],
  pieces: readonly string[],
  startOfPieces = SELECT.length,
): PgError {
  const { position } = error.fields
  if (position === undefined) return error
  let start = startOfPieces
  for (const [index, { text, offset }] of args.entries()) {
    const piece = pieces[index] ?? ''
    const end = start + [...piece].length
    if (position <= end) {
      const inside = position - start - [...piece.slice(0, piece.indexOf(`(${text}`) + 1)].length
      const isInside = inside >= 1 && inside <= [...text].length
      return withFields(error, { position: offset + (isInside ? inside : 1) })
    }
    start = end + SEPARATOR.length
  }
  return error
}

/** With a modifier of -1, which says that there is none: character alone would be char(1). */
async function typeNames(
  state: SessionState,
  types: readonly number[],
): Promise<readonly string[]> {
  const rows = await askCatalogs(
    state,
    'SELECT pg_catalog.format_type(oid, -1) AS name FROM unnest($1::oid[]) WITH ORDINALITY AS t(oid, n) ORDER BY n',
    [`{${types.join(',')}}`],
  )
  return rows.map((row) => row['name'] ?? 'text')
}
