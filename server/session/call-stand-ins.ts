import { STAND_IN_CODE } from '../companion/companion-types.ts'
import { PERFORMED_FUNCTIONS, type PerformedFunction } from '../sql/performed-functions.ts'
import { ANY_VALUE, type Answers, type HeardCall } from './call-record.ts'
import { PERFORMED_SIGNATURES, type PerformedSignatures } from './performed-signatures.ts'
import { textCells, textRow } from './text-answer.ts'

/*
 * PostgreSQL:  SELECT id, nextval('s') FROM t
 * companion:   CREATE FUNCTION pg_temp."spanwire call"(..) ..               counts calls, says which come, and gives the answers that are written into it
 *              CREATE FUNCTION pg_temp.nextval(regclass) RETURNS int8 ..    calls it
 *              SELECT id, pg_temp."nextval"('s') FROM t
 *
 * Stand-ins have the names, parameters, results and costs of the functions that they stand for, so that PostgreSQL resolves, names and plans their calls as theirs.
 */

/** Where stand-ins live. */
export const STAND_IN_SCHEMA = 'pg_temp'

/** Calls of one kind in one statement. */
const MAX_CALLS = 100_000

/** The statements that come before one with stand-ins for the functions of these names. */
export function standInsSql(
  names: Iterable<PerformedFunction>,
  answers: Answers,
): readonly string[] {
  return [
    `SELECT pg_catalog.setseed(${answers.seed}), pg_catalog.set_config('${COUNTER}', '', true)`,
    answerSql(answers),
    ...[...new Set(names)].flatMap((name) => {
      const function_ = PERFORMED_SIGNATURES[name]
      return function_.signatures.map((parameters) =>
        standInSql(name, parameters, { function_, guesses: answers.guesses }),
      )
    }),
  ]
}

/** The statement that drops all stand-ins of a session, which has no functions in pg_temp but them. */
export const DROP_STAND_INS = `DO $$ DECLARE f pg_catalog.oid; BEGIN
  FOR f IN SELECT oid FROM pg_catalog.pg_proc WHERE pronamespace = pg_catalog.pg_my_temp_schema() LOOP
    EXECUTE 'DROP FUNCTION ' || f::pg_catalog.regprocedure;
  END LOOP;
END $$`

/** Reads what a stand-in says of its call. */
export function readHeardCall(message: string): HeardCall {
  const [name, args] = JSON.parse(message) as [PerformedFunction, HeardCall['args']]
  return { name, args }
}

const STAND_IN_CALL = new RegExp(
  `\\b${STAND_IN_SCHEMA}\\.(?=(?:${PERFORMED_FUNCTIONS.join('|')})\\()`,
  'g',
)

/** A plan of EXPLAIN as it is without stand-ins: PostgreSQL writes the schema of a function that no search path finds. */
export function withoutStandIns(rows: readonly Buffer[]): readonly Buffer[] {
  return rows.map((row) =>
    textRow(textCells(row).map((text) => text.replaceAll(STAND_IN_CALL, ''))),
  )
}

/** The calls of a statement are counted in a setting of its transaction, for each sequence and for all else. */
const COUNTER = 'spanwire.calls'
/** What is no sequence's name. */
const ALL_ELSE = ''

function answerSql({ performed, drawn }: Answers): string {
  const known = JSON.stringify({ ...Object.fromEntries(drawn), [ALL_ELSE]: performed })
  return `CREATE FUNCTION pg_temp."spanwire call"(name text, args text[], kind text, guess text) RETURNS text LANGUAGE plpgsql AS ${quoted(`
DECLARE
  counts pg_catalog.jsonb := coalesce(nullif(pg_catalog.current_setting('${COUNTER}', true), ''), '{}');
  n integer := coalesce((counts ->> kind)::integer, 0);
  answer pg_catalog.jsonb := ${quoted(known)}::pg_catalog.jsonb #> ARRAY[kind, n::text];
BEGIN
  IF n >= ${MAX_CALLS} THEN
    RAISE EXCEPTION USING ERRCODE = '54000', MESSAGE = 'a statement calls functions of the session more than ${MAX_CALLS} times';
  END IF;
  PERFORM pg_catalog.set_config('${COUNTER}', (counts || pg_catalog.jsonb_build_object(kind, n + 1))::text, true);
  RAISE INFO USING ERRCODE = '${STAND_IN_CODE}', MESSAGE = pg_catalog.json_build_array(name, args)::text;
  RETURN CASE WHEN answer IS NULL THEN guess ELSE answer #>> '{}' END;
END`)}`
}

interface StandIn {
  readonly function_: PerformedSignatures
  readonly guesses: Answers['guesses']
}

function standInSql(
  name: PerformedFunction,
  parameters: readonly string[],
  { function_, guesses }: StandIn,
): string {
  const { type, isStrict } = function_
  const args = parameters.map((_, index) => `$${index + 1}::text`).join(', ')
  const kind = name === 'nextval' ? '$1::text' : `'${ALL_ELSE}'`
  const guess = guessSql(function_, guesses.get(name) ?? 't')
  const call = `pg_temp."spanwire call"('${name}', ARRAY[${args}]::text[], ${kind}, ${guess})`
  const given = type === 'void' ? `PERFORM ${call}` : `RETURN ${call}::pg_catalog.${type}`
  const body = parameters[0] === 'regclass' ? `${ownSequence(name, parameters)} ${given}` : given
  return `CREATE FUNCTION pg_temp."${name}"(${parameters.join(', ')}) RETURNS pg_catalog.${type} LANGUAGE plpgsql ${
    isStrict ? 'STRICT ' : ''
  }COST 1 AS ${quoted(`BEGIN ${body}; END`)}`
}

/** Temporary sequences are the companion's, on the session's connection. */
function ownSequence(name: PerformedFunction, parameters: readonly string[]): string {
  const args = parameters.map((_, index) => `$${index + 1}`).join(', ')
  return `IF EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = $1 AND relpersistence = 't') THEN RETURN pg_catalog.${name}(${args}); END IF;`
}

function guessSql({ guess }: PerformedSignatures, last: 't' | 'f'): string {
  if (guess === 'second argument') return '$2::text'
  if (guess === 'boolean') return `'${last}'`
  return guess === 'any value' ? `'${ANY_VALUE}'` : "''"
}

function quoted(text: string): string {
  const escaped = text.replaceAll("'", "''")
  return escaped.includes('\\') ? `E'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`
}
