import type { UserFunction, UserOperator } from '../sql/user-functions.ts'
import type { SpannerType } from '../types/spanner-type.ts'
import type { DeclaredSequence } from './declared-object.ts'
import type { SequenceKind } from './physical-schema.ts'

/**
 * What the client declared, with what Spanner stores for it. One value for one version of one database, never changed: a
 * newer version is another value. OIDs are those of this proxy's mirror at this version.
 */
export interface LogicalSchema {
  /** Rises with every change; part of the plan cache's key. */
  readonly version: bigint
  readonly relations: ReadonlyMap<number, Relation>
  readonly sequences: ReadonlyMap<number, Sequence>
  readonly userTypes: UserTypes
  readonly userFunctions: UserFunctions
  /** By Spanner's table name, schema-qualified unless in `public`. */
  readonly tablesByPhysicalName: ReadonlyMap<string, Table>
}

/** The types that clients made: enums, domains. */
export interface UserTypes {
  /** Labels of enums, by pg_enum.oid. */
  readonly labels: ReadonlyMap<number, string>
  /** Type names as a cast writes them, by pg_type.oid, those of their arrays included. */
  readonly names: ReadonlyMap<number, string>
  /** By pg_type.oid, those of their arrays included. */
  readonly domains: ReadonlyMap<number, DomainType>
}

/** What a client's database may have none of. */
export const NO_USER_TYPES: UserTypes = { labels: new Map(), names: new Map(), domains: new Map() }

/** Functions and operators that are not built in: those of extensions, and functions of clients. */
export interface UserFunctions {
  /** By pg_proc.oid. */
  readonly functions: ReadonlyMap<number, UserFunction>
  /** By pg_operator.oid. */
  readonly operators: ReadonlyMap<number, UserOperator>
}

export const NO_USER_FUNCTIONS: UserFunctions = { functions: new Map(), operators: new Map() }

/** A domain, or the arrays of one. */
export interface DomainType {
  /** What values of it are stored as: no domain. */
  readonly baseOid: number
  readonly baseTypmod: number
  /** Whether there are values of the base type that it refuses. */
  readonly isConstrained: boolean
}

export type Relation = Table | View

export interface Table {
  readonly kind: 'table'
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** Without dropped columns, by attribute number. */
  readonly columns: readonly Column[]
  readonly constraints: readonly Constraint[]
  readonly indexes: readonly Index[]
  /** Spanner's name, `schema.name` outside `public`, unquoted. */
  readonly physicalName: string
  /** Spanner's name of the key column that the client does not see (table without a primary key). */
  readonly hiddenKey: string | undefined
}

export interface View {
  readonly kind: 'view'
  readonly oid: number
  readonly schema: string
  readonly name: string
}

export interface Column {
  readonly attribute: number
  readonly name: string
  /** Of a column of a domain, what the domain is over. */
  readonly typeOid: number
  readonly typmod: number
  readonly notNull: boolean
  readonly domain?: ColumnDomain | undefined
  /** pg_get_expr of the default or the generation expression. */
  readonly defaultText: string | undefined
  readonly identity: 'always' | 'by-default' | undefined
  readonly generated: boolean
  readonly physical: PhysicalColumn
}

/** The domain that a column is of. */
export interface ColumnDomain {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly notNull: boolean
  readonly isConstrained: boolean
  /** Whether Spanner tests whatever is written to the column for all that the domain demands. */
  readonly isChecked: boolean
}

export interface PhysicalColumn {
  /** Spanner's name, unquoted. */
  readonly name: string
  readonly type: SpannerType
  /** Of a citext: Spanner's name of the column that holds it in lower case. */
  readonly lowerCase?: string | undefined
  /** True where Spanner fills in the default itself when the column is left out of an INSERT. */
  readonly hasDefault: boolean
}

export interface Constraint {
  readonly oid: number
  readonly name: string
  /** `domain-check`: a check of the domain that the column is of. */
  readonly type: 'primary-key' | 'unique' | 'foreign-key' | 'check' | 'domain-check'
  /** Attribute numbers of the constrained columns. */
  readonly columns: readonly number[]
  /** Foreign key: OID of the referenced table, and its columns. */
  readonly referencedTable: number | undefined
  readonly referencedColumns: readonly number[]
  /** pg_get_constraintdef. */
  readonly definition: string
  /** Spanner's name of the constraint, or of the unique index that stands for it. */
  readonly physicalName: string
}

export interface Index {
  readonly oid: number
  readonly name: string
  readonly unique: boolean
  /** Attribute numbers; 0 is an expression. */
  readonly columns: readonly number[]
  /** pg_get_indexdef. */
  readonly definition: string
  readonly physicalName: string
}

export interface Sequence {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly typeOid: number
  readonly declared: DeclaredSequence
  /** Spanner's name. */
  readonly physicalName: string
  readonly values: SequenceKind
  /** Spanner's expression that draws the next value, such as `nextval('t_id_seq') >> 32`. */
  readonly nextvalSql: string
}

/** A physical name in Spanner's SQL: each part quoted. */
export function quotePhysical(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')
}
