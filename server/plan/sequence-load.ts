import type { Sequence } from '../schema/logical-schema.ts'
import { OID } from '../types/pg-type.ts'
import type { SpannerType } from '../types/spanner-type.ts'
import type { EmitContext } from './emission.ts'
import type { Load } from './plan.ts'

const INT64: SpannerType = { code: 'INT64' }
const BOOL: SpannerType = { code: 'BOOL' }

const COLUMNS: Load['columns'] = [
  { name: 'last_value', typeOid: OID.int8, type: INT64 },
  { name: 'log_cnt', typeOid: OID.int8, type: INT64 },
  { name: 'is_called', typeOid: OID.bool, type: BOOL },
]

/*
 * PostgreSQL:  SELECT last_value, is_called FROM s
 * Spanner:     the counter of its last draw; NULL before the first
 *
 * The value of a draw is made of the counter's bits in reverse.
 */

/** The one row of a sequence that is read as a table. */
export function sequenceLoad(sequence: Sequence, { capabilities }: EmitContext): Load {
  const { oid, schema, name, physicalName, declared, nextvalSql } = sequence
  const counter = capabilities.sequenceStateIsNext ? 's.c - 1' : 's.c'
  const state = `spanner.get_internal_sequence_state('${physicalName.replaceAll("'", "''")}')`
  const last = nextvalSql.replace(
    /nextval\('(?:[^']|'')*'\)/,
    `spanner.bit_reverse(${counter}, true)`,
  )
  const columns = [
    `CASE WHEN s.c IS NULL THEN ${declared.start} ELSE ${last} END`,
    '0',
    's.c IS NOT NULL',
  ]
  return {
    table: { oid, schema, name },
    columns: COLUMNS,
    isSequence: true,
    read: {
      kind: 'pushdown',
      command: 'SELECT',
      sql: `SELECT ${columns.join(', ')} FROM (SELECT ${state} AS c) AS s`,
      params: [],
      computed: undefined,
      columns: COLUMNS.map(({ typeOid }) => ({ typeOid, typmod: -1 })),
      locksRows: false,
      isOrdered: false,
    },
  }
}
