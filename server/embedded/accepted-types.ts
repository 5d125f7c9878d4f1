import type { Profile } from './profile.ts'

/** Names of types that may be written in an expression, folded and without `pg_catalog`. `int` and `integer` are parsed to {@link INTEGER}. */
const WRITTEN =
  'bool boolean bytea date float4 float8 int8 bigint jsonb numeric oid text timestamptz varchar spanner.commit_timestamp'
const WRITTEN_IN_PRODUCTION = 'interval uuid'

/** What PostgreSQL's grammar makes of `int` and `integer` (gram.y, SystemTypeName). */
export const INTEGER = 'pg_catalog.int4'

/** The type names that a profile takes. */
export function acceptedTypeNames(profile: Profile): ReadonlySet<string> {
  const names = WRITTEN.split(' ')
  return new Set(profile === 'production' ? [...names, ...WRITTEN_IN_PRODUCTION.split(' ')] : names)
}

/** Types that text is made of, and made from, by writing and reading (CoerceViaIO). */
const THROUGH_TEXT =
  'bigint,boolean,bytea,date,double precision,real,jsonb,numeric,oid,timestamp with time zone,name,text,unknown,"char"'
const THROUGH_TEXT_IN_PRODUCTION = ',uuid,interval'

/** The types that a profile makes text of, and of text. */
export function typesThroughText(profile: Profile): ReadonlySet<string> {
  const list = profile === 'production' ? THROUGH_TEXT + THROUGH_TEXT_IN_PRODUCTION : THROUGH_TEXT
  return new Set(list.split(','))
}
