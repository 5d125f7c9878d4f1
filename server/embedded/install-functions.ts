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

/** Functions and operators of PostgreSQL that take int4 where Spanner's take bigint. */
const BIGINT_OVERLOADS: readonly (readonly [signature: string, returns: string, body: string])[] = [
  ['substr(text, bigint)', 'text', 'pg_catalog.substr($1, $2::int)'],
  ['substr(text, bigint, bigint)', 'text', 'pg_catalog.substr($1, $2::int, $3::int)'],
  ['substr(bytea, bigint)', 'bytea', 'pg_catalog.substr($1, $2::int)'],
  ['substr(bytea, bigint, bigint)', 'bytea', 'pg_catalog.substr($1, $2::int, $3::int)'],
  ['substring(text, bigint)', 'text', 'pg_catalog.substr($1, $2::int)'],
  ['substring(text, bigint, bigint)', 'text', 'pg_catalog.substr($1, $2::int, $3::int)'],
  ['lpad(text, bigint)', 'text', 'pg_catalog.lpad($1, $2::int)'],
  ['lpad(text, bigint, text)', 'text', 'pg_catalog.lpad($1, $2::int, $3)'],
  ['rpad(text, bigint)', 'text', 'pg_catalog.rpad($1, $2::int)'],
  ['rpad(text, bigint, text)', 'text', 'pg_catalog.rpad($1, $2::int, $3)'],
  ['repeat(text, bigint)', 'text', 'pg_catalog.repeat($1, $2::int)'],
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

function overloads(): string {
  const functions = BIGINT_OVERLOADS.map(
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
CREATE OR REPLACE FUNCTION spanner.timestamptz_add(timestamptz, text) RETURNS timestamptz
  LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN $1 + $2::interval;
CREATE OR REPLACE FUNCTION spanner.timestamptz_subtract(timestamptz, text) RETURNS timestamptz
  LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN $1 - $2::interval;
CREATE OR REPLACE FUNCTION spanner.date(timestamptz, text) RETURNS date
  LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN ($1 AT TIME ZONE $2)::date;
CREATE OR REPLACE FUNCTION spanner.date_bin(text, timestamptz, timestamptz) RETURNS timestamptz
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN pg_catalog.date_bin($1::interval, $2, $3);
CREATE OR REPLACE FUNCTION spanner.pending_commit_timestamp() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
  RETURN COALESCE(NULLIF(pg_catalog.current_setting('spanner.commit_timestamp', true), '')::timestamptz, pg_catalog.clock_timestamp());
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
`

/** SQL that gives a database Spanner's functions. Run by the role that owns the database. */
export function functionsScript(): string {
  return [
    'SET search_path = pg_catalog;',
    SCHEMAS,
    wideningOperators(),
    overloads(),
    SUM_OF_INT4,
    SPANNER_FUNCTIONS,
    SEQUENCE_FUNCTIONS,
  ].join('\n')
}
