import { status as GRPC } from '@grpc/grpc-js'
import { ProtoWriter } from '../base/protobuf-writer.ts'
import { OID } from '../types/pg-type.ts'
import type { SpannerType } from '../types/spanner-type.ts'
import type { Acceptance, ChangedRelations } from './acceptance.ts'
import { GrpcStatus } from './grpc-status.ts'
import type { MutationCost } from './mutation-cost.ts'
import { encodeStructType, oidOf, spannerTypeOf } from './pg-types.ts'
import type { Profile } from './profile.ts'
import type { SqlRequest } from './spanner-requests.ts'
import { type TranslatedStatement, translateStatement } from './sql-translation.ts'
import { type ColumnEncoder, columnEncoder } from './value-encoder.ts'

/** What PostgreSQL says of a statement before it runs. */
export interface StatementDescription {
  /** Types of $1, $2 ...: declared or inferred. */
  readonly paramOids: readonly number[]
  readonly columns: readonly ColumnEncoder[]
  /** Encoded StructType of the result's columns. */
  readonly rowType: Buffer
  /** Encoded StructType of the parameters without a declared type; undefined where all have one. */
  readonly undeclared: Buffer | undefined
  /** Of DML: what it counts in mutations. */
  readonly cost: MutationCost | undefined
  /** OIDs of the relations that all this depends on; undefined where nobody knows. */
  readonly relations: ReadonlySet<number> | undefined
  /** Whether PartitionQuery takes it. */
  readonly isPartitionable: boolean
}

/** A statement as it is prepared: one object for each text and combination of declared parameter types. */
export interface CachedStatement extends TranslatedStatement {
  /** OIDs of $1, $2 ... as declared; 0 where PostgreSQL infers the type. */
  readonly declaredOids: readonly number[]
  /** The same for Parse: parameters that the statement does not name, but whose numbers lie below one that it does, are text. */
  readonly parseOids: readonly number[]
  /** What its analysed form is checked by. */
  readonly acceptance: Acceptance
  description: StatementDescription | undefined
  /** Nobody gets it from the cache any more. */
  isForgotten: boolean
}

const CACHE_LIMIT = 2_000

/** Statements of one database, translated and described once. */
export class StatementCache {
  readonly acceptance: Acceptance
  readonly #statements = new Map<string, CachedStatement>()

  constructor(acceptance: Acceptance) {
    this.acceptance = acceptance
  }

  /** Throws what Spanner says of a statement that it does not take. */
  get(request: SqlRequest): CachedStatement {
    const declaredOids = declaredTypes(request, this.acceptance.profile)
    const key =
      declaredOids.length === 0 ? request.sql : `${declaredOids.join(',')}\0${request.sql}`
    const known = this.#statements.get(key)
    if (known !== undefined) return known
    const acceptance = this.acceptance
    const translated = translateStatement(request.sql, acceptance.profile)
    const statement = {
      ...translated,
      declaredOids,
      parseOids: parseOids(declaredOids, translated.params),
      acceptance,
      description: undefined,
      isForgotten: false,
    }
    if (this.#statements.size >= CACHE_LIMIT) this.#forget(() => true)
    this.#statements.set(key, statement)
    return statement
  }

  /** Relations have changed: forgets the statements that depend on one of them, or may do so. */
  schemaChanged(changed: ChangedRelations): void {
    this.acceptance.forget(changed)
    this.#forget(({ description }) => !isApart(description?.relations, changed))
  }

  #forget(isMeant: (statement: CachedStatement) => boolean): void {
    for (const [key, statement] of this.#statements) {
      if (!isMeant(statement)) continue
      statement.isForgotten = true
      this.#statements.delete(key)
    }
  }
}

function isApart(relations: ReadonlySet<number> | undefined, changed: ChangedRelations): boolean {
  if (relations === undefined || changed === 'all') return false
  return [...relations].every((oid) => !changed.has(oid))
}

/** `p1` is $1. Other names cannot be referred to in this dialect and are ignored, as Spanner does. */
function declaredTypes(request: SqlRequest, profile: Profile): number[] {
  const oids: number[] = []
  for (const [name, type] of request.paramTypes) {
    const number = /^p(\d{1,5})$/.exec(name)?.[1]
    if (number === undefined) continue
    const index = Number(number) - 1
    while (oids.length <= index) oids.push(0)
    refuseType(type, profile)
    oids[index] = oidOf(type)
  }
  return oids
}

function parseOids(declared: readonly number[], used: ReadonlySet<number>): number[] {
  const count = Math.max(declared.length, ...used)
  return Array.from({ length: count }, (_, index) => {
    const oid = declared[index] ?? 0
    return oid === 0 && !used.has(index + 1) ? OID.text : oid
  })
}

/** Throws where the dialect lacks the type of a parameter. */
function refuseType(type: SpannerType, profile: Profile): void {
  if (type.code === 'ARRAY' && type.element === undefined)
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      'Array types must specify element type, found code: ARRAY',
    )
  if (type.element?.code === 'ARRAY')
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'Arrays of arrays are not supported')
  const { code, annotation } = type.element ?? type
  if ((code === 'NUMERIC' || code === 'JSON') && annotation === undefined)
    throw new GrpcStatus(GRPC.UNIMPLEMENTED, `The type ${code} is not supported in this dialect`)
  if ((code === 'INTERVAL' || code === 'UUID') && profile !== 'production')
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, `Invalid value for column type: ${code}`)
}

/** Makes the description from what Parse and Describe answered. Throws UNIMPLEMENTED for a type that the dialect lacks. */
export function describeStatement(
  statement: CachedStatement,
  {
    paramOids,
    fields,
    cost,
    relations,
    isPartitionable,
  }: {
    readonly paramOids: readonly number[]
    readonly fields: readonly { readonly name: string; readonly typeOid: number }[]
    readonly cost: MutationCost | undefined
    readonly relations: ReadonlySet<number> | undefined
    readonly isPartitionable: boolean
  },
): StatementDescription {
  const rowFields = fields.map((field) => ({ name: field.name, type: requireType(field.typeOid) }))
  // The emulator tells of every parameter that the statement names, declared or not.
  const tellsAll = statement.acceptance.profile !== 'production'
  const undeclared = paramOids
    .map((oid, index) => ({ name: `p${index + 1}`, oid }))
    .filter((_, index) =>
      tellsAll ? statement.params.has(index + 1) : (statement.parseOids[index] ?? 0) === 0,
    )
    .map(({ name, oid }) => ({ name, type: requireType(oid) }))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
  return {
    paramOids,
    columns: fields.map((field) => columnEncoder(field.typeOid)),
    rowType: encodeStructType(rowFields),
    undeclared: undeclared.length === 0 ? undefined : encodeStructType(undeclared),
    cost,
    relations,
    isPartitionable,
  }
}

/** Names of the types that are most likely to be asked for all the same. */
const FOREIGN_TYPES: ReadonlyMap<number, string> = new Map([
  [114, 'json'],
  [142, 'xml'],
  [650, 'cidr'],
  [790, 'money'],
  [869, 'inet'],
  [1042, 'bpchar'],
  [1083, 'time'],
  [1114, 'timestamp'],
  [1266, 'timetz'],
  [1560, 'bit'],
  [1562, 'varbit'],
  [2249, 'record'],
  [3614, 'tsvector'],
])

function requireType(oid: number): SpannerType {
  const type = spannerTypeOf(oid)
  if (type === undefined) {
    const name = FOREIGN_TYPES.get(oid) ?? `with oid ${oid}`
    throw new GrpcStatus(GRPC.UNIMPLEMENTED, `The Postgres Type is not supported: ${name}`)
  }
  return type
}

/** google.spanner.v1.ResultSetMetadata. `transaction` is an encoded Transaction, where one was begun by this statement. */
export function encodeMetadata(
  description: StatementDescription,
  { isRead }: SqlRequest,
  transaction: Buffer | undefined,
): Buffer {
  const out = new ProtoWriter().message(1, description.rowType)
  if (transaction !== undefined) out.message(2, transaction)
  if (description.undeclared !== undefined && isRead !== true)
    out.message(3, description.undeclared)
  return out.take()
}
