/**
 * What the client declared, without OIDs and attribute numbers: the form that is stored in Spanner, compared between
 * versions and emitted as `CREATE ...` for a mirror. Types, defaults and definitions are PostgreSQL's own texts, printed with
 * search_path = pg_catalog, so that every user name in them is qualified. Absent fields are left out, never null.
 */
export type DeclaredObject =
  | DeclaredSchema
  | DeclaredExtension
  | DeclaredEnum
  | DeclaredDomain
  | DeclaredFunction
  | DeclaredSequence
  | DeclaredTable
  | DeclaredView

export interface QualifiedName {
  readonly schema: string
  readonly name: string
}

/** What tells one function from another. */
export interface FunctionName extends QualifiedName {
  /** format_type of those that a call gives. */
  readonly argumentTypes: readonly string[]
}

/** One item of an access control list (aclitem); `grantee` absent: PUBLIC. */
export interface DeclaredGrant {
  readonly grantee?: string
  readonly grantor: string
  /** As GRANT names them: SELECT, USAGE ... */
  readonly privileges?: readonly string[]
  /** Those WITH GRANT OPTION. */
  readonly grantable?: readonly string[]
}

/** What GRANT and REVOKE have said, in the order of the list; absent: the privileges that an object is born with. */
interface WithGrants {
  readonly grants?: readonly DeclaredGrant[]
}

export interface DeclaredSchema extends WithGrants {
  readonly kind: 'schema'
  readonly name: string
  readonly owner: string
  readonly comment?: string
}

/** CREATE EXTENSION; what it brings with it, its name says. */
export interface DeclaredExtension extends QualifiedName {
  readonly kind: 'extension'
  readonly owner: string
  readonly comment?: string
}

/** CREATE TYPE .. AS ENUM. */
export interface DeclaredEnum extends QualifiedName, WithGrants {
  readonly kind: 'enum'
  readonly owner: string
  readonly comment?: string
  /** In their order. */
  readonly labels: readonly string[]
  /** pg_type.oid, once it is the one that every proxy gives it (types/user-type.ts). */
  readonly oid: number
}

/** CREATE DOMAIN. */
export interface DeclaredDomain extends QualifiedName, WithGrants {
  readonly kind: 'domain'
  readonly owner: string
  readonly comment?: string
  /** As that of an enum. */
  readonly oid: number
  /** What it is a domain over: format_type, with its modifier. */
  readonly type: string
  readonly typeOid: number
  /** That type, or its elements', where a client made it. */
  readonly userType?: QualifiedName
  readonly typmod: number
  readonly notNull: boolean
  /** pg_get_expr. */
  readonly default?: string
  /** The sequences that the default draws from. */
  readonly defaultSequences?: readonly QualifiedName[]
  /** Where it is not the base type's own: qualified and quoted. */
  readonly collation?: string
  /** By name, as PostgreSQL tests them. */
  readonly constraints: readonly DeclaredDomainCheck[]
  /** Functions of clients that its default and checks call. */
  readonly functions?: readonly FunctionName[]
}

export interface DeclaredDomainCheck {
  readonly name: string
  /** pg_get_constraintdef. */
  readonly definition: string
  /** pg_get_expr, in which VALUE is what is tested. */
  readonly expression: string
  readonly comment?: string
}

/** CREATE FUNCTION .. LANGUAGE sql. */
export interface DeclaredFunction extends FunctionName, WithGrants {
  readonly kind: 'function'
  readonly owner: string
  readonly comment?: string
  /** pg_get_function_arguments: with their names and defaults. */
  readonly arguments: string
  /** pg_get_function_result. */
  readonly result: string
  /** pg_get_functiondef. */
  readonly definition: string
  /** The types that clients made, in its arguments and result and in a body that PostgreSQL keeps as a tree. */
  readonly userTypes?: readonly QualifiedName[]
  /** Functions of clients that such a body and the defaults of its arguments call. */
  readonly functions?: readonly FunctionName[]
}

/** Numbers are decimal text: they are int8. */
export interface DeclaredSequence extends QualifiedName, WithGrants {
  readonly kind: 'sequence'
  readonly owner: string
  readonly comment?: string
  readonly type: 'smallint' | 'integer' | 'bigint'
  readonly start: string
  readonly increment: string
  readonly min: string
  readonly max: string
  readonly cache: string
  readonly cycle: boolean
  /** The column that OWNED BY or IDENTITY names. */
  readonly ownedBy?: QualifiedName & { readonly column: string; readonly identity: boolean }
}

export interface DeclaredTable extends QualifiedName, WithGrants {
  readonly kind: 'table'
  readonly owner: string
  readonly comment?: string
  readonly unlogged?: true
  /** In the order of their attribute numbers. */
  readonly columns: readonly DeclaredColumn[]
  /** By name. */
  readonly constraints: readonly DeclaredConstraint[]
  /** By name; without the indexes of primary keys and unique constraints. */
  readonly indexes: readonly DeclaredIndex[]
  /** `name=value`, such as fillfactor=70; those of its TOAST table begin with `toast.`. */
  readonly options?: readonly string[]
  /** The index that CLUSTER ON named. */
  readonly clusterOn?: string
  readonly replicaIdentity?: 'nothing' | 'full' | { readonly index: string }
  /** Functions of clients that its defaults, checks and indexes call. */
  readonly functions?: readonly FunctionName[]
}

export interface DeclaredColumn extends WithGrants {
  readonly name: string
  /** format_type. */
  readonly type: string
  readonly typeOid: number
  /** The type, or the elements' type, where a client made it. */
  readonly userType?: QualifiedName
  readonly typmod: number
  readonly notNull: boolean
  /** pg_get_expr. */
  readonly default?: string
  /** The sequences that the default draws from. */
  readonly defaultSequences?: readonly QualifiedName[]
  readonly identity?: 'always' | 'by-default'
  /** pg_get_expr of GENERATED ALWAYS AS (..) STORED. */
  readonly generated?: string
  /** The type of its value, where PostgreSQL casts that to the column's by itself; 0: an unknown one. */
  readonly generatedFrom?: number
  /** Where it is not the type's own: qualified and quoted. */
  readonly collation?: string
  readonly comment?: string
  /** SET STATISTICS. */
  readonly statistics?: number
  /** Where it is not the type's own. */
  readonly storage?: 'plain' | 'external' | 'extended' | 'main'
  readonly compression?: 'pglz' | 'lz4'
  /** `name=value`, such as n_distinct=5. */
  readonly options?: readonly string[]
}

export interface DeclaredConstraint {
  readonly name: string
  readonly type: 'primary-key' | 'unique' | 'foreign-key' | 'check'
  readonly columns: readonly string[]
  /** pg_get_constraintdef. */
  readonly definition: string
  /** CHECK: pg_get_expr. */
  readonly expression?: string
  readonly references?: QualifiedName & {
    readonly columns: readonly string[]
    readonly onUpdate: ReferentialAction
    readonly onDelete: ReferentialAction
  }
  readonly deferrable?: true
  readonly comment?: string
}

export type ReferentialAction = 'no-action' | 'restrict' | 'cascade' | 'set-null' | 'set-default'

export interface DeclaredIndex {
  readonly name: string
  readonly unique: boolean
  /** Access method: btree, hash, gin ... */
  readonly method: string
  readonly columns: readonly DeclaredIndexColumn[]
  readonly include?: readonly string[]
  /** pg_get_expr of the predicate of a partial index. */
  readonly predicate?: string
  readonly nullsNotDistinct?: true
  /** pg_get_indexdef. */
  readonly definition: string
  readonly comment?: string
}

export interface DeclaredIndexColumn {
  /** Absent: an expression. */
  readonly column?: string
  readonly descending: boolean
  readonly nullsFirst: boolean
}

export interface DeclaredView extends QualifiedName, WithGrants {
  readonly kind: 'view'
  readonly owner: string
  readonly comment?: string
  readonly columns: readonly DeclaredViewColumn[]
  /** pg_get_viewdef. */
  readonly definition: string
  /** `name=value`, such as security_barrier=true. */
  readonly options?: readonly string[]
  readonly dependsOn?: readonly QualifiedName[]
  /** The types that clients made, in it. */
  readonly userTypes?: readonly QualifiedName[]
  /** Functions of clients that it calls. */
  readonly functions?: readonly FunctionName[]
}

export interface DeclaredViewColumn extends WithGrants {
  readonly name: string
  readonly comment?: string
  /** ALTER VIEW .. SET DEFAULT, pg_get_expr. */
  readonly default?: string
}

/** What a declared object is found by: its kind and its name; tables, views and sequences share one namespace as in PostgreSQL. */
export function declaredKey(object: DeclaredObject): string {
  switch (object.kind) {
    case 'schema':
      return schemaKey(object.name)
    case 'extension':
      return JSON.stringify([object.name, 'extension', 'of the database'])
    case 'enum':
    case 'domain':
      return typeKey(object)
    case 'function':
      return functionKey(object)
    default:
      return relationKey(object)
  }
}

/** The key of a schema. */
export function schemaKey(name: string): string {
  return JSON.stringify([name])
}

/** The key of a type. */
export function typeKey(name: QualifiedName): string {
  return JSON.stringify([name.schema, name.name, 'type'])
}

/** The key of a function. */
export function functionKey({ schema, name, argumentTypes }: FunctionName): string {
  return JSON.stringify([schema, name, 'function', ...argumentTypes])
}

/** The key of a table, view or sequence. */
export function relationKey(name: QualifiedName): string {
  return JSON.stringify([name.schema, name.name])
}

/** Whether two values say the same: key order and absent fields make no difference. What they share is not looked into. */
export function isSameDeclaration(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false
  const fields = fieldsOf(a)
  return (
    fields.length === fieldsOf(b).length &&
    fields.every(([key, value]) => isSameDeclaration(value, b[key]))
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function fieldsOf(object: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(object).filter(([, value]) => value !== undefined)
}
