import {
  type DeclaredColumn,
  type DeclaredConstraint,
  type DeclaredObject,
  type DeclaredSchema,
  type DeclaredSequence,
  type DeclaredTable,
  type DeclaredView,
  type QualifiedName,
  relationKey,
} from './declared-object.ts'

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
  const sequences = objects.filter((object) => object.kind === 'sequence')
  const tables = objects.filter((object) => object.kind === 'table')
  const views = orderViews(objects.filter((object) => object.kind === 'view'))
  const own = sequences.filter((sequence) => sequence.ownedBy?.identity !== true)
  return [
    ...schemas.flatMap(createSchema),
    ...own.flatMap(createSequence),
    ...tables.flatMap((table) => createTable(table, sequences)),
    ...own.flatMap(setOwnedBy),
    ...tables.flatMap(foreignKeysOf).map(addForeignKey),
    ...missingForeignKeys.map(addForeignKey),
    ...views.flatMap(createView),
    ...tables.flatMap(commentsOfTable),
    ...sequences.flatMap((sequence) =>
      comment('SEQUENCE', emitPostgresName(sequence), sequence.comment),
    ),
  ]
}

/** The statement that removes an object and, by CASCADE, what hangs on it. Harmless where it is gone already. */
export function emitPostgresDrop(object: DeclaredObject): string {
  const name = object.kind === 'schema' ? quoteIdentifier(object.name) : emitPostgresName(object)
  return `DROP ${object.kind.toUpperCase()} IF EXISTS ${name} CASCADE`
}

/** The foreign keys of a table. */
export function foreignKeysOf(table: DeclaredTable): TableConstraint[] {
  return table.constraints
    .filter((constraint) => constraint.type === 'foreign-key')
    .map((constraint) => ({ table, constraint }))
}

/** Always quoted: no keyword list to keep. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string constant that reads the same whatever standard_conforming_strings says. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** A qualified name, quoted. */
export function emitPostgresName(object: QualifiedName): string {
  return `${quoteIdentifier(object.schema)}.${quoteIdentifier(object.name)}`
}

function comment(kind: string, name: string, text: string | undefined): string[] {
  return text === undefined ? [] : [`COMMENT ON ${kind} ${name} IS ${quoteLiteral(text)}`]
}

function createSchema(schema: DeclaredSchema): string[] {
  const name = quoteIdentifier(schema.name)
  return [
    `CREATE SCHEMA IF NOT EXISTS ${name}`,
    `ALTER SCHEMA ${name} OWNER TO ${quoteIdentifier(schema.owner)}`,
    `COMMENT ON SCHEMA ${name} IS ${schema.comment === undefined ? 'NULL' : quoteLiteral(schema.comment)}`,
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
  ]
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
    `CREATE ${table.unlogged === true ? 'UNLOGGED ' : ''}TABLE ${name} (${lines.join(', ')})`,
    ...constraints
      .filter((constraint) => !isInline(constraint))
      .map((constraint) => `ALTER TABLE ${name} ADD ${constraintDefinition(constraint)}`),
    ...table.indexes.map((index) => index.definition),
    `ALTER TABLE ${name} OWNER TO ${quoteIdentifier(table.owner)}`,
  ]
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
  const columns = view.columns.map((column) => quoteIdentifier(column.name)).join(', ')
  const options = view.options === undefined ? '' : ` WITH (${view.options.join(', ')})`
  return [
    `CREATE VIEW ${name} (${columns})${options} AS ${view.definition}`,
    `ALTER VIEW ${name} OWNER TO ${quoteIdentifier(view.owner)}`,
    ...comment('VIEW', name, view.comment),
    ...view.columns.flatMap((column) =>
      comment('COLUMN', `${name}.${quoteIdentifier(column.name)}`, column.comment),
    ),
  ]
}

/** Views after those that they read. */
function orderViews(views: readonly DeclaredView[]): DeclaredView[] {
  const byKey = new Map(views.map((view) => [relationKey(view), view]))
  const ordered = new Set<DeclaredView>()
  const visit = (view: DeclaredView): void => {
    if (ordered.has(view)) return
    for (const name of view.dependsOn ?? []) {
      const needed = byKey.get(relationKey(name))
      if (needed !== undefined && needed !== view) visit(needed)
    }
    ordered.add(view)
  }
  for (const view of views) visit(view)
  return [...ordered]
}
