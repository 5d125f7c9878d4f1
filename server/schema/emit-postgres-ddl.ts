import {
  type DeclaredColumn,
  type DeclaredConstraint,
  type DeclaredDomain,
  type DeclaredFunction,
  type DeclaredObject,
  type DeclaredSchema,
  type DeclaredSequence,
  type DeclaredTable,
  type DeclaredView,
  type DeclaredViewColumn,
  declaredKey,
  functionKey,
  type QualifiedName,
  relationKey,
  typeKey,
} from './declared-object.ts'
import { emitDomain } from './emit-domain.ts'
import { emitEnum } from './emit-enum.ts'
import { emitExtension } from './emit-extension.ts'
import { emitFunction, emitFunctionName } from './emit-function.ts'
import { emitGrants, emitGrantsAnew } from './emit-grants.ts'
import { emitOption, emitTableDetails, emitTableGrants } from './emit-table-details.ts'
import { emitPostgresName, quoteIdentifier, quoteLiteral } from './postgres-text.ts'

/** A foreign key of a table that is there already. */
export interface TableConstraint {
  readonly table: QualifiedName
  readonly constraint: DeclaredConstraint
}

/**
 * The statements that make declared objects in a mirror, in an order in which each finds what it needs. They are to run under
 * SNAPSHOT_SETTINGS as a superuser; owners must exist. A snapshot of what they make says what `objects` say.
 */
export function emitPostgresDdl(
  objects: readonly DeclaredObject[],
  missingForeignKeys: readonly TableConstraint[] = [],
): readonly string[] {
  const schemas = objects.filter((object) => object.kind === 'schema')
  const extensions = objects.filter((object) => object.kind === 'extension')
  const enums = objects.filter((object) => object.kind === 'enum')
  const sequences = objects.filter((object) => object.kind === 'sequence')
  const tables = objects.filter((object) => object.kind === 'table')
  const types = objects.filter((object) => object.kind === 'domain' || object.kind === 'function')
  const views = objects.filter((object) => object.kind === 'view')
  const own = sequences.filter((sequence) => sequence.ownedBy?.identity !== true)
  return [
    ...schemas.flatMap(createSchema),
    ...extensions.flatMap(emitExtension),
    ...enums.flatMap(emitEnum),
    ...own.flatMap(createSequence),
    ...neededFirst(types).flatMap((object) =>
      object.kind === 'domain' ? emitDomain(object) : emitFunction(object),
    ),
    ...tables.flatMap((table) => createTable(table, sequences)),
    ...own.flatMap(setOwnedBy),
    ...tables.flatMap(foreignKeysOf).map(addForeignKey),
    ...missingForeignKeys.map(addForeignKey),
    ...neededFirst(views).flatMap(createView),
    ...tables.flatMap(commentsOfTable),
    ...sequences.flatMap((sequence) =>
      comment('SEQUENCE', emitPostgresName(sequence), sequence.comment),
    ),
    ...sequences.filter((sequence) => !own.includes(sequence)).flatMap(sequenceGrants),
  ]
}

/** The statement that removes an object and, by CASCADE, what hangs on it. Harmless where it is gone already. */
export function emitPostgresDrop(object: DeclaredObject): string {
  const kind = object.kind === 'enum' ? 'TYPE' : object.kind.toUpperCase()
  return `DROP ${kind} IF EXISTS ${nameToDrop(object)} CASCADE`
}

function nameToDrop(object: DeclaredObject): string {
  switch (object.kind) {
    case 'schema':
    case 'extension':
      return quoteIdentifier(object.name)
    case 'function':
      return emitFunctionName(object)
    default:
      return emitPostgresName(object)
  }
}

/** The foreign keys of a table. */
export function foreignKeysOf(table: DeclaredTable): TableConstraint[] {
  return table.constraints
    .filter((constraint) => constraint.type === 'foreign-key')
    .map((constraint) => ({ table, constraint }))
}

function comment(kind: string, name: string, text: string | undefined): string[] {
  return text === undefined ? [] : [`COMMENT ON ${kind} ${name} IS ${quoteLiteral(text)}`]
}

function createSchema(schema: DeclaredSchema): string[] {
  return [
    `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema.name)}`,
    ...alterSchema(undefined, schema),
  ]
}

/** The statements that make a schema that is there say what `schema` says. */
export function alterSchema(before: DeclaredSchema | undefined, schema: DeclaredSchema): string[] {
  const name = quoteIdentifier(schema.name)
  const target = { on: `SCHEMA ${name}`, owner: schema.owner }
  return [
    `ALTER SCHEMA ${name} OWNER TO ${quoteIdentifier(schema.owner)}`,
    `COMMENT ON SCHEMA ${name} IS ${schema.comment === undefined ? 'NULL' : quoteLiteral(schema.comment)}`,
    ...emitGrantsAnew(target, before?.grants, schema.grants),
  ]
}

function sequenceOptions(sequence: DeclaredSequence): string {
  const { increment, min, max, start, cache, cycle } = sequence
  return `INCREMENT BY ${increment} MINVALUE ${min} MAXVALUE ${max} START WITH ${start} CACHE ${cache} ${cycle ? '' : 'NO '}CYCLE`
}

function createSequence(sequence: DeclaredSequence): string[] {
  const name = emitPostgresName(sequence)
  return [
    `CREATE SEQUENCE ${name} AS ${sequence.type} ${sequenceOptions(sequence)}`,
    `ALTER SEQUENCE ${name} OWNER TO ${quoteIdentifier(sequence.owner)}`,
    ...sequenceGrants(sequence),
  ]
}

function sequenceGrants(sequence: DeclaredSequence): string[] {
  const on = `SEQUENCE ${emitPostgresName(sequence)}`
  return emitGrants({ on, owner: sequence.owner }, sequence.grants)
}

function setOwnedBy(sequence: DeclaredSequence): string[] {
  const { ownedBy } = sequence
  if (ownedBy === undefined) return []
  return [
    `ALTER SEQUENCE ${emitPostgresName(sequence)} OWNED BY ${emitPostgresName(ownedBy)}.${quoteIdentifier(ownedBy.column)}`,
  ]
}

function createTable(table: DeclaredTable, sequences: readonly DeclaredSequence[]): string[] {
  const name = emitPostgresName(table)
  const constraints = table.constraints.filter((constraint) => constraint.type !== 'foreign-key')
  const isInline = (constraint: DeclaredConstraint): boolean =>
    !constraint.definition.endsWith(' NOT VALID')
  const lines = [
    ...table.columns.map((column) => columnDefinition(table, column, sequences)),
    ...constraints.filter(isInline).map(constraintDefinition),
  ]
  return [
    `CREATE ${table.unlogged === true ? 'UNLOGGED ' : ''}TABLE ${name} (${lines.join(', ')})${withOptions(table.options)}`,
    // First of all: PostgreSQL evaluates the functions in an index's expressions as the table's owner.
    `ALTER TABLE ${name} OWNER TO ${quoteIdentifier(table.owner)}`,
    ...constraints
      .filter((constraint) => !isInline(constraint))
      .map((constraint) => `ALTER TABLE ${name} ADD ${constraintDefinition(constraint)}`),
    ...table.indexes.map((index) => index.definition),
    ...emitTableDetails(table),
    ...emitTableGrants(table),
  ]
}

function withOptions(options: readonly string[] | undefined): string {
  return options === undefined ? '' : ` WITH (${options.map(emitOption).join(', ')})`
}

function columnDefinition(
  table: DeclaredTable,
  column: DeclaredColumn,
  sequences: readonly DeclaredSequence[],
): string {
  return [
    quoteIdentifier(column.name),
    column.type,
    column.collation === undefined ? '' : `COLLATE ${column.collation}`,
    column.default === undefined ? '' : `DEFAULT ${column.default}`,
    column.generated === undefined ? '' : `GENERATED ALWAYS AS (${column.generated}) STORED`,
    column.identity === undefined ? '' : identityClause(table, column, sequences),
    column.notNull ? 'NOT NULL' : '',
  ]
    .filter((part) => part !== '')
    .join(' ')
}

function identityClause(
  table: DeclaredTable,
  column: DeclaredColumn,
  sequences: readonly DeclaredSequence[],
): string {
  const kind = column.identity === 'always' ? 'ALWAYS' : 'BY DEFAULT'
  const sequence = sequences.find(
    ({ ownedBy }) =>
      ownedBy?.identity === true &&
      relationKey(ownedBy) === relationKey(table) &&
      ownedBy.column === column.name,
  )
  const options =
    sequence === undefined
      ? ''
      : ` (SEQUENCE NAME ${emitPostgresName(sequence)} ${sequenceOptions(sequence)})`
  return `GENERATED ${kind} AS IDENTITY${options}`
}

function constraintDefinition(constraint: DeclaredConstraint): string {
  return `CONSTRAINT ${quoteIdentifier(constraint.name)} ${constraint.definition}`
}

function addForeignKey({ table, constraint }: TableConstraint): string {
  return `ALTER TABLE ${emitPostgresName(table)} ADD ${constraintDefinition(constraint)}`
}

function commentsOfTable(table: DeclaredTable): string[] {
  const name = emitPostgresName(table)
  return [
    ...comment('TABLE', name, table.comment),
    ...table.columns.flatMap((column) =>
      comment('COLUMN', `${name}.${quoteIdentifier(column.name)}`, column.comment),
    ),
    ...table.constraints.flatMap((constraint) =>
      comment('CONSTRAINT', `${quoteIdentifier(constraint.name)} ON ${name}`, constraint.comment),
    ),
    ...table.indexes.flatMap((index) =>
      comment('INDEX', emitPostgresName({ schema: table.schema, name: index.name }), index.comment),
    ),
  ]
}

function createView(view: DeclaredView): string[] {
  const name = emitPostgresName(view)
  const on = `TABLE ${name}`
  const { owner } = view
  const columns = view.columns.map((column) => quoteIdentifier(column.name)).join(', ')
  return [
    `CREATE VIEW ${name} (${columns})${withOptions(view.options)} AS ${view.definition}`,
    ...view.columns.flatMap((column) => setViewDefault(name, column)),
    `ALTER VIEW ${name} OWNER TO ${quoteIdentifier(owner)}`,
    ...comment('VIEW', name, view.comment),
    ...view.columns.flatMap((column) =>
      comment('COLUMN', `${name}.${quoteIdentifier(column.name)}`, column.comment),
    ),
    ...emitGrants({ on, owner }, view.grants),
    ...view.columns.flatMap((column) =>
      emitGrants({ on, owner, column: column.name }, column.grants),
    ),
  ]
}

function setViewDefault(view: string, column: DeclaredViewColumn): string[] {
  if (column.default === undefined) return []
  return [
    `ALTER VIEW ${view} ALTER COLUMN ${quoteIdentifier(column.name)} SET DEFAULT ${column.default}`,
  ]
}

/** Views after those that they read, domains and functions after those that they use. */
function neededFirst<T extends DeclaredView | DeclaredDomain | DeclaredFunction>(
  objects: readonly T[],
): T[] {
  const byKey = new Map(objects.map((object) => [declaredKey(object), object]))
  const ordered = new Set<T>()
  const visit = (object: T): void => {
    if (ordered.has(object)) return
    for (const key of neededKeys(object)) {
      const needed = byKey.get(key)
      if (needed !== undefined && needed !== object) visit(needed)
    }
    ordered.add(object)
  }
  for (const object of objects) visit(object)
  return [...ordered]
}

function neededKeys(object: DeclaredView | DeclaredDomain | DeclaredFunction): string[] {
  if (object.kind === 'view') return (object.dependsOn ?? []).map(relationKey)
  const types = object.kind === 'function' ? object.userTypes : [object.userType]
  return [
    ...(types ?? []).flatMap((type) => (type === undefined ? [] : [typeKey(type)])),
    ...(object.functions ?? []).map(functionKey),
  ]
}
