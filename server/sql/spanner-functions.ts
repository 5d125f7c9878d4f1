import { callsIn, type SignatureTable, signatureTable } from './spanner-signature.ts'

/** Functions and aggregates ("Functions in PostgreSQL-dialect databases"). Those of the schema `spanner` need no row: they are Spanner's alone. */
export const SPANNER_FUNCTIONS: SignatureTable = signatureTable({
  everywhere: callsIn(`
abs(bigint) abs(double precision) abs(numeric) abs(real) acos(double precision) asin(double precision) atan(double precision)
atan2(double precision, double precision) ceil(double precision) ceil(numeric) ceiling(double precision) ceiling(numeric) cos(double precision)
div(numeric, numeric) exp(double precision) floor(double precision) floor(numeric) ln(double precision) log(double precision) mod(bigint, bigint)
mod(numeric, numeric) pow(double precision, double precision) power(double precision, double precision) round(double precision)
sign(double precision) sin(double precision) sqrt(double precision) tan(double precision) trunc(double precision) trunc(numeric, bigint)
dexp(double precision) dlog1(double precision) dlog10(double precision) dpow(double precision, double precision) dsqrt(double precision)

array_cat(anycompatiblearray, anycompatiblearray) array_length(anyarray, bigint) array_to_string(anyarray, text)
array_to_string(anyarray, text, text) array_upper(anyarray, bigint) unnest(anyarray)

btrim(text) btrim(text, text) btrim(bytea, bytea) concat("any") length(bytea) length(text) lower(text) lpad(text, bigint) lpad(text, bigint, text)
ltrim(text) ltrim(text, text) quote_ident(text) regexp_match(text, text) regexp_replace(text, text, text) regexp_split_to_array(text, text)
repeat(text, bigint) replace(text, text, text) reverse(text) rpad(text, bigint) rpad(text, bigint, text) rtrim(text) rtrim(text, text)
sha256(bytea) sha512(bytea) starts_with(text, text) strpos(text, text) substr(bytea, bigint) substr(bytea, bigint, bigint) substr(text, bigint)
substr(text, bigint, bigint) substring(text, bigint) substring(text, bigint, bigint) substring(text, text) substring(bytea, bigint)
substring(bytea, bigint, bigint) textcat(text, text) upper(text)

date_trunc(text, timestamp with time zone) date_trunc(text, timestamp with time zone, text) extract(text, date)
extract(text, timestamp with time zone) make_date(bigint, bigint, bigint) now() to_char(bigint, text) to_char(double precision, text)
to_char(numeric, text) to_char(real, text) to_char(timestamp with time zone, text) to_date(text, text) to_number(text, text)
to_timestamp(double precision) to_timestamp(text, text)

jsonb_array_elements(jsonb) jsonb_typeof(jsonb) to_jsonb(anyelement) nextval(text)

array_agg(anynonarray) avg(bigint) avg(double precision) avg(numeric) avg(real) bit_and(bigint) bit_or(bigint) bool_and(boolean) bool_or(boolean)
count() count("any") every(boolean) string_agg(text, text) string_agg(bytea, bytea) sum(bigint) sum(double precision) sum(numeric) sum(real)
max(bigint) max(date) max(double precision) max(numeric) max(real) max(text) max(timestamp with time zone)
min(bigint) min(date) min(double precision) min(numeric) min(real) min(text) min(timestamp with time zone)`),
  uuidType: ['gen_random_uuid()'],
  generateSeries: callsIn(`
generate_series(bigint, bigint) generate_series(bigint, bigint, bigint) generate_series(numeric, numeric)
generate_series(numeric, numeric, numeric)`),
  jsonbFunctions: callsIn(`
jsonb_build_array() jsonb_build_array("any") jsonb_build_object() jsonb_build_object("any") jsonb_insert(jsonb, text[], jsonb, boolean)
jsonb_set(jsonb, text[], jsonb, boolean) jsonb_set_lax(jsonb, text[], jsonb, boolean, text) jsonb_strip_nulls(jsonb) jsonb_object_keys(jsonb)`),
  interval: callsIn(`
make_interval(bigint, bigint, bigint, bigint, bigint, bigint, double precision) justify_days(interval) justify_hours(interval)
justify_interval(interval) extract(text, interval) to_char(interval, text) avg(interval) sum(interval) max(interval) min(interval)`),
})

/** Casts that are functions of PostgreSQL: written ones, and those that PostgreSQL puts where the types differ. */
export const SPANNER_CASTS: SignatureTable = signatureTable({
  everywhere: callsIn(`
bool(jsonb) date(timestamp with time zone) float4(bigint) float4(double precision) float4(numeric) float8(bigint) float8(jsonb) float8(numeric)
float8(real) int2(bigint) int4(bigint) int8(bigint) int8(double precision) int8(jsonb) int8(numeric) int8(real) int8(oid) int4(double precision)
int4(numeric) numeric(bigint) numeric(double precision) numeric(numeric, bigint) numeric(real) oid(bigint) text(boolean) text(name)
timestamptz(date) varchar(text, bigint, boolean) varchar(name)`),
  jsonbFunctions: ['numeric(jsonb)'],
  interval: ['interval(interval, bigint)'],
})
