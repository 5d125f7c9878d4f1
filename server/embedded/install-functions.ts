import { FINGERPRINT } from './install-fingerprint.ts'
import { vectorsScript } from './install-vectors.ts'
import type { Profile } from './profile.ts'

/*
 * What Spanner's dialect has and PostgreSQL has not, as SQL functions and operators. Three schemas:
 *
 *   spanner         Spanner's own functions, always written with their schema
 *   _spanner        first in the search path: operators and functions that shadow or overload PostgreSQL's, and the helpers of DDL
 *   _spanner_meta   tables; not in the search path, so that no user table is shadowed
 *
 * Users cannot clash with them: Spanner refuses names of schema objects with a leading underscore. Every statement here may be run again.
 */

const SCHEMAS = `
CREATE SCHEMA IF NOT EXISTS spanner;
CREATE SCHEMA IF NOT EXISTS _spanner;
CREATE SCHEMA IF NOT EXISTS _spanner_meta;
CREATE TABLE IF NOT EXISTS _spanner_meta.version (version text NOT NULL);
CREATE TABLE IF NOT EXISTS _spanner_meta.options (name text PRIMARY KEY, value text NOT NULL);
CREATE TABLE IF NOT EXISTS _spanner_meta.sequences (
  relid oid PRIMARY KEY, start_with bigint NOT NULL, skip_min bigint, skip_max bigint, is_identity boolean NOT NULL, has_kind boolean NOT NULL);
CREATE TABLE IF NOT EXISTS _spanner_meta.tables (
  relid oid PRIMARY KEY, parent oid, interleave text, on_delete text, ttl text);
CREATE TABLE IF NOT EXISTS _spanner_meta.operations (
  id text PRIMARY KEY, statements text[] NOT NULL, started timestamptz NOT NULL, finished timestamptz[] NOT NULL,
  is_done boolean NOT NULL, error_code int, error_message text);
`

/** Integer constants are bigint in Spanner: arithmetic over PostgreSQL's int4 constants must not overflow, and its results are bigint. */
function wideningOperators(): string {
  const statements: string[] = []
  const binary = (
    name: string,
    symbol: string,
    [left, right]: readonly [string, string],
    body: string,
  ) => {
    statements.push(`
CREATE OR REPLACE FUNCTION _spanner.${name}(${left}, ${right}) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN ${body};
DO $$ BEGIN
  CREATE OPERATOR _spanner.${symbol} (LEFTARG = ${left}, RIGHTARG = ${right}, FUNCTION = _spanner.${name});
EXCEPTION WHEN duplicate_function THEN NULL; END $$;`)
  }
  for (const [name, symbol] of [
    ['plus', '+'],
    ['minus', '-'],
    ['times', '*'],
    ['divided', '/'],
  ] as const) {
    binary(name, symbol, ['int', 'int'], `$1::bigint OPERATOR(pg_catalog.${symbol}) $2::bigint`)
  }
  for (const [name, symbol] of [
    ['shift_left', '<<'],
    ['shift_right', '>>'],
  ] as const) {
    for (const [left, right] of [
      ['int', 'int'],
      ['bigint', 'bigint'],
      ['int', 'bigint'],
    ] as const) {
      binary(name, symbol, [left, right], `$1::bigint OPERATOR(pg_catalog.${symbol}) $2::int`)
    }
  }
  return statements.join('')
}

/** A start below zero counts from the end of the text. */
function fromTheEnd(otherwise: string, rest = ''): string {
  const tail = 'pg_catalog.right($1, (-$2)::int)'
  return `CASE WHEN $2 < 0 THEN ${rest === '' ? tail : `pg_catalog.substr(${tail}${rest})`} ELSE ${otherwise} END`
}

/** How long a text may be that a function makes: the emulator's limit was measured, of production none is known but PostgreSQL's. */
const OUTPUT_LIMIT: Readonly<Record<Profile, number>> = {
  production: 1_073_741_823,
  'emulator-1.5.28': 1_048_576,
}

/** Checks the length of a text that is to be made of units of so many bytes. */
function outputLength(profile: Profile): string {
  return `
CREATE OR REPLACE FUNCTION _spanner.output_length(length bigint, unit bigint DEFAULT 1) RETURNS int LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF length < 0 OR length * unit > ${OUTPUT_LIMIT[profile]} THEN
    RAISE EXCEPTION 'The output of a string function is too long, or of a length below zero' USING ERRCODE = 'SN011';
  END IF;
  RETURN length::int;
END $$;
`
}

/** Functions and operators of PostgreSQL that take int4 where Spanner's take bigint, and those whose results differ. */
const BIGINT_OVERLOADS: readonly (readonly [signature: string, returns: string, body: string])[] = [
  ['substr(text, bigint)', 'text', fromTheEnd('pg_catalog.substr($1, $2::int)')],
  [
    'substr(text, bigint, bigint)',
    'text',
    fromTheEnd('pg_catalog.substr($1, $2::int, $3::int)', ', 1, $3::int'),
  ],
  ['substr(bytea, bigint)', 'bytea', 'pg_catalog.substr($1, $2::int)'],
  ['substr(bytea, bigint, bigint)', 'bytea', 'pg_catalog.substr($1, $2::int, $3::int)'],
  ['substring(text, bigint)', 'text', 'pg_catalog.substr($1, $2::int)'],
  ['substring(text, bigint, bigint)', 'text', 'pg_catalog.substr($1, $2::int, $3::int)'],
  ['lpad(text, bigint)', 'text', 'pg_catalog.lpad($1, _spanner.output_length($2))'],
  ['lpad(text, bigint, text)', 'text', 'pg_catalog.lpad($1, _spanner.output_length($2), $3)'],
  ['rpad(text, bigint)', 'text', 'pg_catalog.rpad($1, _spanner.output_length($2))'],
  ['rpad(text, bigint, text)', 'text', 'pg_catalog.rpad($1, _spanner.output_length($2), $3)'],
  [
    'repeat(text, bigint)',
    'text',
    'pg_catalog.repeat($1, _spanner.output_length($2, pg_catalog.octet_length($1)))',
  ],
  [
    'round(double precision)',
    'double precision',
    'CASE WHEN pg_catalog.abs($1 OPERATOR(pg_catalog.-) pg_catalog.trunc($1)) >= 0.5 THEN pg_catalog.trunc($1) OPERATOR(pg_catalog.+) pg_catalog.sign($1) ELSE pg_catalog.trunc($1) END',
  ],
  ['round(numeric, bigint)', 'numeric', 'pg_catalog.round($1, $2::int)'],
  ['trunc(numeric, bigint)', 'numeric', 'pg_catalog.trunc($1, $2::int)'],
  ['make_date(bigint, bigint, bigint)', 'date', 'pg_catalog.make_date($1::int, $2::int, $3::int)'],
  ['array_length(anyarray, bigint)', 'bigint', 'pg_catalog.array_length($1, $2::int)::bigint'],
  ['array_upper(anyarray, bigint)', 'bigint', 'pg_catalog.array_upper($1, $2::int)::bigint'],
]

type OperatorOverload = readonly [
  name: string,
  symbol: string,
  left: string,
  right: string,
  returns: string,
  body: string,
]

/**
 * Array comparisons that Spanner has and PostgreSQL has not: ARRAY[1] is an array of int4 to PostgreSQL, of bigint to Spanner; texts are
 * one type to Spanner, and so are arrays of them.
 */
function arrayOperators(): OperatorOverload[] {
  const operators = [
    ['array_contains', '@>'],
    ['array_contained', '<@'],
    ['array_overlaps', '&&'],
  ] as const
  const operands = [
    ['bigint[]', 'int[]', 'bigint[]'],
    ['int[]', 'bigint[]', 'bigint[]'],
    ['int[]', 'int[]', 'bigint[]'],
    ['varchar[]', 'varchar[]', 'text[]'],
    ['text[]', 'text[]', 'text[]'],
    ['varchar[]', 'text[]', 'text[]'],
    ['text[]', 'varchar[]', 'text[]'],
  ] as const
  return operators.flatMap(([name, symbol]) =>
    operands.map(([left, right, common]): OperatorOverload => {
      const body = `$1::${common} OPERATOR(pg_catalog.${symbol}) $2::${common}`
      return [name, symbol, left, right, 'boolean', body]
    }),
  )
}

const OPERATOR_OVERLOADS: readonly OperatorOverload[] = [
  ...arrayOperators(),
  ['date_plus', '+', 'date', 'bigint', 'date', '$1 OPERATOR(pg_catalog.+) $2::int'],
  ['plus_date', '+', 'bigint', 'date', 'date', '$2 OPERATOR(pg_catalog.+) $1::int'],
  ['date_minus', '-', 'date', 'bigint', 'date', '$1 OPERATOR(pg_catalog.-) $2::int'],
  ['json_get', '->', 'jsonb', 'bigint', 'jsonb', '$1 OPERATOR(pg_catalog.->) $2::int'],
  ['json_get_text', '->>', 'jsonb', 'bigint', 'text', '$1 OPERATOR(pg_catalog.->>) $2::int'],
  ['json_remove', '-', 'jsonb', 'bigint', 'jsonb', '$1 OPERATOR(pg_catalog.-) $2::int'],
]

/** Functions whose results differ with PostgreSQL's integers, too. */
const DIFFERING = /^(?:substr\(text|lpad|rpad|repeat)/

function overloads(): string {
  const differing = BIGINT_OVERLOADS.filter(([signature]) => DIFFERING.test(signature)).map(
    ([signature, returns, body]) => [signature.replaceAll('bigint', 'int'), returns, body] as const,
  )
  const functions = [...BIGINT_OVERLOADS, ...differing].map(
    ([signature, returns, body]) =>
      `CREATE OR REPLACE FUNCTION _spanner.${signature} RETURNS ${returns} LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT ${body}';`,
  )
  const operators = OPERATOR_OVERLOADS.map(
    ([name, symbol, left, right, returns, body]) => `
CREATE OR REPLACE FUNCTION _spanner.${name}(${left}, ${right}) RETURNS ${returns} LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN ${body};
DO $$ BEGIN
  CREATE OPERATOR _spanner.${symbol} (LEFTARG = ${left}, RIGHTARG = ${right}, FUNCTION = _spanner.${name});
EXCEPTION WHEN duplicate_function THEN NULL; END $$;`,
  )
  return [...functions, ...operators].join('\n')
}

const SUM_OF_INT4 = `
CREATE OR REPLACE FUNCTION _spanner.sum_step(numeric, int) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN $2 IS NULL THEN $1 ELSE COALESCE($1, 0) OPERATOR(pg_catalog.+) $2::numeric END;
CREATE OR REPLACE AGGREGATE _spanner.sum(int) (SFUNC = _spanner.sum_step, STYPE = numeric);
`

/** Functions of Spanner's own schema ("Spanner specific functions" of the dialect's function pages). */
const SPANNER_FUNCTIONS = `
DO $$ BEGIN CREATE DOMAIN spanner.commit_timestamp AS timestamptz; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE DOMAIN spanner.tokenlist AS tsvector; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE OR REPLACE FUNCTION spanner.tokenize_fulltext(text) RETURNS spanner.tokenlist LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN pg_catalog.to_tsvector('pg_catalog.simple'::regconfig, $1)::spanner.tokenlist;
CREATE OR REPLACE FUNCTION spanner.token(text) RETURNS spanner.tokenlist LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN pg_catalog.array_to_tsvector(ARRAY[$1])::spanner.tokenlist;
CREATE OR REPLACE FUNCTION spanner.search(spanner.tokenlist, text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN $1::tsvector @@ pg_catalog.websearch_to_tsquery('pg_catalog.simple'::regconfig, $2);
CREATE OR REPLACE FUNCTION spanner.bit_reverse(value bigint, preserve_sign boolean) RETURNS bigint
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN CASE WHEN preserve_sign
    THEN pg_catalog.reverse(value::bit(63)::text)::bit(63)::bigint | (value & (-9223372036854775807 - 1))
    ELSE pg_catalog.reverse(value::bit(64)::text)::bit(64)::bigint END;
CREATE OR REPLACE FUNCTION spanner.generate_uuid() RETURNS text LANGUAGE sql VOLATILE PARALLEL SAFE RETURN pg_catalog.gen_random_uuid()::text;
CREATE OR REPLACE FUNCTION _spanner.in_calendar(timestamptz) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF $1 < '0001-01-01 00:00:00+00'::timestamptz OR $1 >= '10000-01-01 00:00:00+00'::timestamptz THEN
    RAISE EXCEPTION 'Timestamp is out of supported range' USING ERRCODE = 'SN011';
  END IF;
  RETURN $1;
END $$;
CREATE OR REPLACE FUNCTION spanner.timestamptz_add(timestamptz, text) RETURNS timestamptz
  LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN _spanner.in_calendar($1 + $2::interval);
CREATE OR REPLACE FUNCTION spanner.timestamptz_subtract(timestamptz, text) RETURNS timestamptz
  LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN _spanner.in_calendar($1 - $2::interval);
CREATE OR REPLACE FUNCTION spanner.date(timestamptz, text) RETURNS date
  LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN ($1 AT TIME ZONE $2)::date;
CREATE OR REPLACE FUNCTION spanner.date_bin(text, timestamptz, timestamptz) RETURNS timestamptz
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN pg_catalog.date_bin($1::interval, $2, $3);
CREATE OR REPLACE FUNCTION spanner.pending_commit_timestamp() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
  RETURN COALESCE(NULLIF(pg_catalog.current_setting('spanner.commit_timestamp', true), '')::timestamptz, pg_catalog.clock_timestamp());
CREATE OR REPLACE FUNCTION _spanner.is_no_future(timestamptz) RETURNS boolean LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF $1 > pg_catalog.clock_timestamp() AND $1 > spanner.pending_commit_timestamp() THEN
    RAISE EXCEPTION 'Cannot write timestamps in the future, found: %', pg_catalog.to_char($1 AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"') USING ERRCODE = 'SN009';
  END IF;
  RETURN true;
END $$;
DO $$ BEGIN
  ALTER DOMAIN spanner.commit_timestamp ADD CONSTRAINT no_future CHECK (_spanner.is_no_future(VALUE)) NOT VALID;
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE OR REPLACE FUNCTION spanner.int64_array(jsonb) RETURNS bigint[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN ARRAY(SELECT e::bigint FROM pg_catalog.jsonb_array_elements_text($1) e);
CREATE OR REPLACE FUNCTION spanner.float64_array(jsonb) RETURNS float8[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN ARRAY(SELECT e::float8 FROM pg_catalog.jsonb_array_elements_text($1) e);
CREATE OR REPLACE FUNCTION spanner.float32_array(jsonb) RETURNS float4[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN ARRAY(SELECT e::float4 FROM pg_catalog.jsonb_array_elements_text($1) e);
CREATE OR REPLACE FUNCTION spanner.bool_array(jsonb) RETURNS boolean[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN ARRAY(SELECT e::boolean FROM pg_catalog.jsonb_array_elements_text($1) e);
CREATE OR REPLACE FUNCTION spanner.string_array(jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN ARRAY(SELECT e FROM pg_catalog.jsonb_array_elements_text($1) e);
`

/** A sequence's name in nextval is text, taken as it is and not as an identifier; values are the bit-reversed counter, outside the skipped range. */
const SEQUENCE_FUNCTIONS = `
CREATE OR REPLACE FUNCTION _spanner.find_sequence(name text) RETURNS oid LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE found oid;
BEGIN
  found := CASE WHEN strpos(name, '.') > 0
    THEN to_regclass(format('%I.%I', split_part(name, '.', 1), substr(name, strpos(name, '.') OPERATOR(pg_catalog.+) 1)))
    ELSE to_regclass(format('public.%I', name)) END;
  IF found IS NULL THEN
    BEGIN found := to_regclass(name); EXCEPTION WHEN OTHERS THEN found := NULL; END;
  END IF;
  IF found IS NULL OR name LIKE 'public.%' OR NOT EXISTS (SELECT FROM _spanner_meta.sequences WHERE relid = found) THEN
    RAISE EXCEPTION 'Sequence not found: %', name USING ERRCODE = 'SN005';
  END IF;
  RETURN found;
END $$;
CREATE OR REPLACE FUNCTION _spanner.draw(sequence oid) RETURNS bigint LANGUAGE plpgsql VOLATILE STRICT AS $$
DECLARE value bigint; range record;
BEGIN
  SELECT skip_min, skip_max INTO range FROM _spanner_meta.sequences WHERE relid = sequence;
  LOOP
    value := spanner.bit_reverse(pg_catalog.nextval(sequence::regclass), true);
    EXIT WHEN range.skip_min IS NULL OR value NOT BETWEEN range.skip_min AND range.skip_max;
  END LOOP;
  RETURN value;
END $$;
CREATE OR REPLACE FUNCTION _spanner.nextval(name text) RETURNS bigint LANGUAGE sql VOLATILE STRICT
  AS 'SELECT _spanner.draw(_spanner.find_sequence(name))';
CREATE OR REPLACE FUNCTION _spanner.identity_next(sequence regclass) RETURNS bigint LANGUAGE sql VOLATILE STRICT
  AS 'SELECT _spanner.draw(sequence)';
CREATE OR REPLACE FUNCTION spanner.get_internal_sequence_state(name text) RETURNS bigint LANGUAGE plpgsql VOLATILE STRICT AS $$
DECLARE state bigint;
BEGIN
  EXECUTE format('SELECT CASE WHEN is_called THEN last_value END FROM %s', _spanner.find_sequence(name)::regclass) INTO state;
  RETURN state;
END $$;
CREATE OR REPLACE FUNCTION _spanner.find_identity(name text) RETURNS oid LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog AS $$
DECLARE parts text[] := string_to_array(name, '.'); tab text; rel oid; found oid;
BEGIN
  IF cardinality(parts) NOT IN (2, 3) THEN
    RAISE EXCEPTION 'The column identifier''s format is invalid: %. It should be either "<schema>.<table>.<column>" or "<table>.<column>".', name USING ERRCODE = 'SN003';
  END IF;
  tab := array_to_string(parts[:cardinality(parts) - 1], '.');
  SELECT c.oid INTO rel FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END = tab;
  IF rel IS NULL THEN
    RAISE EXCEPTION 'Table not found for the GET_TABLE_COLUMN_IDENTITY_STATE function: %', tab USING ERRCODE = 'SN003';
  END IF;
  SELECT s.relid INTO found FROM _spanner_meta.sequences s JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.relid
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE s.is_identity AND d.refobjid = rel AND a.attname = parts[cardinality(parts)];
  IF found IS NULL THEN
    RAISE EXCEPTION 'Identity column not found in table %: %', tab, parts[cardinality(parts)] USING ERRCODE = 'SN003';
  END IF;
  RETURN found;
END $$;
CREATE OR REPLACE FUNCTION spanner.get_table_column_identity_state(name text) RETURNS bigint LANGUAGE plpgsql VOLATILE STRICT AS $$
DECLARE state bigint;
BEGIN
  EXECUTE format('SELECT CASE WHEN is_called THEN last_value END FROM %s', _spanner.find_identity(name)::regclass) INTO state;
  RETURN state;
END $$;
`

/** SQL that gives a database Spanner's functions. Run by the role that owns the database. */
export function functionsScript(profile: Profile): string {
  return [
    'SET search_path = pg_catalog;',
    SCHEMAS,
    wideningOperators(),
    outputLength(profile),
    overloads(),
    SUM_OF_INT4,
    SPANNER_FUNCTIONS,
    SEQUENCE_FUNCTIONS,
    FINGERPRINT,
    vectorsScript(),
  ].join('\n')
}
