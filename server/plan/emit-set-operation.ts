import type { Expr, SetOperationNode } from '../sql/query-tree.ts'
import { castTypeOf } from '../types/cast-type.ts'
import { OID } from '../types/pg-type.ts'
import { findStorage, keepsEquality } from '../types/storage.ts'
import type { Emission, SelectOptions } from './emission.ts'
import { typeOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'
import { operand } from './operand.ts'
import type { Scope } from './scope.ts'

interface SetParts {
  readonly scope: Scope
  readonly options: SelectOptions
}

type Operation = Extract<SetOperationNode, { readonly kind: 'SetOperation' }>

/*
 * PostgreSQL:  SELECT a FROM t UNION SELECT 1.5 ORDER BY 1      a is an integer: made numeric when the query runs
 * Spanner:     (SELECT t1."a"::numeric AS c1 FROM "t" AS t1) UNION DISTINCT ..  refuses columns of different types
 */
export function emitSetOperations(
  emission: Emission,
  parts: SetParts,
  node: SetOperationNode,
): string {
  if (node.kind === 'RangeTableRef') throw new NotPushable('a set operation of one query')
  return emitOperation(emission, parts, node)
}

function emitOperation(emission: Emission, parts: SetParts, node: Operation): string {
  refuseDeadlyKeys(emission, node)
  const left = emitOperand(emission, parts, { node: node.left, columnTypes: node.columnTypes })
  const right = emitOperand(emission, parts, { node: node.right, columnTypes: node.columnTypes })
  return `${left} ${node.op.toUpperCase()}${node.all ? ' ALL' : ''} ${right}`
}

interface Operand {
  readonly node: SetOperationNode
  readonly columnTypes: readonly number[]
}

function emitOperand(emission: Emission, parts: SetParts, { node, columnTypes }: Operand): string {
  if (node.kind === 'SetOperation')
    return `(${emitOperation(emission, parts, { ...node, columnTypes })})`
  const entry = parts.scope.entry(node.rtindex)
  if (entry.kind !== 'subquery')
    throw new NotPushable('a set operation of something else than queries')
  const { sql } = emission.select(entry.query, {
    parent: parts.scope,
    columnTypes,
    namesColumns: parts.options.namesColumns === true,
  })
  return `(${sql})`
}

/** Without ALL, rows are compared: what the emulator dies of, and what Spanner cannot compare at all. */
function refuseDeadlyKeys(emission: Emission, node: Operation): void {
  if (node.all && node.op === 'union') return
  const isUnsafe = !emission.context.capabilities.safeNumericKeysAndNullFloats
  for (const type of node.columnTypes) {
    if (!keepsEquality(type) || (isUnsafe && type === OID.numeric)) {
      throw new NotPushable(`${node.op.toUpperCase()} of values that Spanner cannot compare`)
    }
  }
}

/** Casts that PostgreSQL makes between the arms of a set operation and that mean the same to Spanner. */
const WIDENINGS: ReadonlyMap<number, ReadonlySet<number>> = new Map([
  [OID.numeric, new Set<number>([OID.int2, OID.int4, OID.int8])],
  [OID.float8, new Set<number>([OID.int2, OID.int4, OID.int8, OID.numeric, OID.float4])],
])

/** A result column in the type that the set operation around its query has for it. */
export function castColumn(expr: Expr, wanted: number | undefined, sql: string): string {
  const from = typeOf(expr)
  if (wanted === undefined || wanted === from) return sql
  const storage = findStorage(wanted, -1)
  if (
    storage !== undefined &&
    storage.sqlType === findStorage(from, -1)?.sqlType &&
    isSameKind(from, wanted)
  )
    return sql
  if (WIDENINGS.get(wanted)?.has(from) === true) return `${operand(sql)}::${castTypeOf(wanted)}`
  throw new NotPushable('a set operation of columns of different types')
}

/** int4 and int8 are one type to Spanner, and so are the texts; a date-like text is not. */
function isSameKind(a: number, b: number): boolean {
  return KINDS.some((kind) => kind.has(a) && kind.has(b))
}

const KINDS: readonly ReadonlySet<number>[] = [
  new Set<number>([OID.int2, OID.int4, OID.int8]),
  new Set<number>([OID.text, OID.varchar, OID.bpchar]),
]
