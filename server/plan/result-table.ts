import { createHash } from 'node:crypto'
import { PgError } from '../base/pg-error.ts'
import { emitPostgresName, quoteIdentifier } from '../schema/postgres-text.ts'
import { findTypeName } from '../sql/builtin-catalog.ts'
import type { Query } from '../sql/query-tree.ts'
import { scaleOfTypmod } from '../types/numeric-value.ts'
import { OID } from '../types/pg-type.ts'
import { findStorage } from '../types/storage.ts'
import type { EmitContext } from './emission.ts'
import { emitPushdown } from './emit-pushdown.ts'
import { typeOf, typmodOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'
import type { Load, LoadedColumn } from './plan.ts'
import { outputsOf } from './query-outputs.ts'

/** No client has a schema of such a name: those that begin with `pg_` are PostgreSQL's. */
const SCHEMA = 'pg_spanwire'

/**
 * The load of a query's result; undefined where Spanner cannot run the query. `number` tells those of one statement apart: results of
 * the same types go into the same table, one a statement.
 */
export function resultLoad(query: Query, number: number, context: EmitContext): Load | undefined {
  const columns = columnsOf(query, context)
  if (columns === undefined) return undefined
  try {
    const read = emitPushdown(query, context, { noticesRange: false })
    if (read.locksRows || read.draws !== undefined) return undefined
    const types = columns.map(({ pgType }) => pgType)
    const digest = createHash('sha256').update(types.join()).digest('hex').slice(0, 16)
    const name = `result_${digest}_${number}`
    return {
      table: { oid: 0, schema: SCHEMA, name },
      columns,
      read,
      result: { types, tables: tablesOf(query, context) },
    }
  } catch (error) {
    if (error instanceof NotPushable || error instanceof PgError) return undefined
    throw error
  }
}

/** A query of the loaded rows, with the names of the query that they are the result of. */
export function selectLoaded({ table, columns }: Load, names: readonly string[]): string {
  const list = columns.map(({ name }, i) => `${name} AS ${quoteIdentifier(names[i] ?? name)}`)
  return `SELECT ${list.join(', ')} FROM ${emitPostgresName(table)}`
}

interface ResultColumn extends LoadedColumn {
  /** As CREATE TABLE names it. */
  readonly pgType: string
}

function columnsOf(query: Query, context: EmitContext): readonly ResultColumn[] | undefined {
  if (readsDomains(query, context)) return undefined
  const columns: ResultColumn[] = []
  for (const { expr } of outputsOf(query)) {
    const typeOid = typeOf(expr)
    const storage = findStorage(typeOid, typmodOf(expr))
    const pgType = typeText(typeOid, typmodOf(expr), context)
    if (storage === undefined || pgType === undefined) return undefined
    columns.push({ name: `c${columns.length + 1}`, typeOid, type: storage.type, pgType })
  }
  return columns
}

/** The tree shows a domain as what it is over. */
function readsDomains({ relids }: Query, { schema }: EmitContext): boolean {
  if (schema.userTypes.domains.size === 0) return false
  return relids.some((relid) => {
    const relation = schema.relations.get(relid)
    return relation?.kind === 'table' && relation.columns.some(({ domain }) => domain !== undefined)
  })
}

/** VARHDRSZ. */
const VARLENA_HEADER_BYTES = 4

/** undefined where the type has no name here. A modifier is told where values depend on it: blanks and zeros at their ends. */
function typeText(oid: number, typmod: number, { schema }: EmitContext): string | undefined {
  const builtIn = findTypeName(oid)
  const name =
    schema.userTypes.names.get(oid) ?? (builtIn && `pg_catalog.${quoteIdentifier(builtIn)}`)
  if (name === undefined || typmod < VARLENA_HEADER_BYTES) return name
  const modifier = typmod - VARLENA_HEADER_BYTES
  if (oid === OID.bpchar) return `${name}(${modifier})`
  if (oid === OID.numeric) return `${name}(${modifier >>> 16}, ${scaleOfTypmod(typmod)})`
  return name
}

function tablesOf({ relids }: Query, { schema }: EmitContext): readonly string[] {
  return relids.flatMap((relid) => schema.relations.get(relid)?.name ?? [])
}
