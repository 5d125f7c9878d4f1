import { type SignatureTable, signatureTable } from './spanner-signature.ts'

/** Names of types that may be written in an expression, folded and without `pg_catalog`. `int` and `integer` are parsed to {@link INTEGER}. */
export const SPANNER_TYPE_NAMES: SignatureTable = signatureTable({
  everywhere:
    'bool boolean bytea date float4 float8 int8 bigint jsonb numeric oid text timestamptz varchar spanner.commit_timestamp'.split(
      ' ',
    ),
  uuidType: ['uuid'],
  interval: ['interval'],
})

/** What PostgreSQL's grammar makes of `int` and `integer` (gram.y, SystemTypeName). */
export const INTEGER = 'pg_catalog.int4'

/** Types that text is made of, and made from, by writing and reading (CoerceViaIO). */
export const SPANNER_TYPES_THROUGH_TEXT: SignatureTable = signatureTable({
  everywhere: [
    ...[
      'bigint',
      'boolean',
      'bytea',
      'date',
      'double precision',
      'real',
      'jsonb',
      'numeric',
      'oid',
    ],
    ...['timestamp with time zone', 'name', 'text', 'unknown', '"char"'],
  ],
  uuidType: ['uuid'],
  interval: ['interval'],
})
