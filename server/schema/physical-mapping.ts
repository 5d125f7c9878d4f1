import type { SpannerParam } from '../backend/backend.ts'
import {
  type DeclaredColumn,
  type DeclaredSchema,
  type DeclaredTable,
  type DeclaredView,
  declaredKey,
  isSameDeclaration,
  relationKey,
} from './declared-object.ts'
import type { Change, Difference, TableChange } from './difference.ts'
import type { MappingContext } from './mapping-context.ts'
import { type ColumnStorage, columnWidth } from './physical-column.ts'
import { domainStates, mapDomains, withoutDomains } from './physical-domain.ts'
import { labelUpdates, mapEnums } from './physical-enum.ts'
import { findBuiltinDefaults, mapExtensions } from './physical-extension.ts'
import { mapFunctions } from './physical-function.ts'
import { linkTable } from './physical-link.ts'
import { PhysicalNames } from './physical-name.ts'
import {
  physicalSchemaOf,
  qualifyPhysical,
  type SequenceKind,
  type StoredObject,
  type StoredSchema,
  type StoredSequence,
  type StoredTable,
} from './physical-schema.ts'
import {
  canSpread,
  checkSequence,
  nextvalSqlOf,
  type SequenceWidth,
  sequenceWidth,
  startCounterOf,
} from './physical-sequence.ts'
import { draftTable, type TableDraft } from './physical-table.ts'
import type { AddedValues } from './transaction-tables.ts'
import { renumberTypes, typeRenumbering } from './type-oids.ts'
import { unsupported } from './unsupported.ts'

/** What mapping starts from. */
export interface MappingInput {
  readonly difference: Difference
  /** The rows of the schema before, by the OID of their object. */
  readonly stored: ReadonlyMap<number, StoredObject>
  readonly storageOf: ColumnStorage
  /** How sequences that are new give their values. */
  readonly sequenceKind: SequenceKind
  /** What rows are to have in new columns; of a column that is not there, what its default says. */
  readonly added: AddedValues
  /** Makes the id of a new row. */
  readonly newId: () => string
  /** Spanner's names of the tables whose rows the transaction has changed. */
  readonly written: ReadonlySet<string>
  /** Whether Spanner's table is known to be empty; undefined: it was not asked yet. */
  readonly isEmpty: (physicalTable: string) => boolean | undefined
}

/** The rows of the schema after, and what their physical side does not say. */
export interface MappingResult {
  readonly rows: readonly StoredObject[]
  /** Spanner's table to (new column to the expression that fills rows that are there). */
  readonly backfills: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Spanner's table to (new column to the value that an UPDATE fills rows with that are there). */
  readonly fills: ReadonlyMap<string, ReadonlyMap<string, SpannerParam>>
  /** DML that brings rows that are there to the new schema: in the transaction that records it. */
  readonly updates: readonly string[]
  /** Tables whose emptiness decides and was not known: with the answers, mapping is done again. */
  readonly questions: readonly string[]
}

/** Schema of the rows that keep the logical schema; clients cannot have it. */
const RESERVED_SCHEMA = 'spanwire'

/**
 * Finds what Spanner is to hold for the schema after a difference: what was kept keeps its names, what is new gets names that
 * nothing has or had. Refuses (0A000) what has no form in Spanner.
 */
export function mapPhysical(input: MappingInput): MappingResult {
  // First: what an extension brings with it is not what the client said.
  const extensions = mapExtensions(input)
  refuseOthers(input.difference)
  const functions = mapFunctions(input)
  const names = takenNames(input.stored.values())
  const schemas = mapSchemas(input, names)
  const physicalSchemas = new Map(schemas.map((row) => [row.declared.name, row.physical]))
  const physicalSchema = (declared: string): string => physicalSchemas.get(declared) ?? ''
  const renumbering = typeRenumbering(input.difference, input.stored)
  const domains = domainStates(input.difference, renumbering)
  const changes = input.difference.tables
    .filter(({ table }) => table.kind !== 'dropped')
    .map((change) => renumberTypes(change, renumbering))
  const sequences = mapSequences(input, {
    widths: findColumnWidths(changes.map((change) => withoutDomains(change, domains))),
    names: (schema) => namesOf(names, schema),
    physicalSchema,
  })
  const questions = new Set<string>()
  const context: MappingContext = {
    storageOf: input.storageOf,
    domains,
    added: input.added,
    written: input.written,
    builtinDefaults: findBuiltinDefaults(input.difference),
    names: (schema) => namesOf(names, schema),
    physicalSchema,
    storedTable: (oid) => {
      const row = input.stored.get(oid)
      return row?.kind === 'table' ? row : undefined
    },
    isEmpty: (table) => {
      const answer = input.isEmpty(table)
      if (answer === undefined) questions.add(table)
      return answer
    },
    sequenceDefault: (column, table) => findSequenceDefault(column, table, sequences),
  }
  const drafts = new Map<string, TableDraft>()
  const enums = mapEnums(input, renumbering)
  for (const change of changes) {
    const draft = draftTable(change, context)
    drafts.set(relationKey(draft.declared), draft)
  }
  const tables = [...drafts.values()].map((draft): StoredTable => {
    const { table } = draft.change
    const id = table.kind === 'kept' ? input.stored.get(table.after.oid)?.id : undefined
    return { kind: 'table', id: id ?? input.newId(), ...linkTable(draft, drafts, context) }
  })
  const keptNames = new Set([...drafts.values()].map(({ kept }) => kept?.physical.name))
  const keptTables = tables.filter(({ physical }) => keptNames.has(physical.name))
  return {
    rows: [
      ...schemas,
      ...extensions,
      ...enums,
      ...mapDomains(input, renumbering),
      ...functions,
      ...sequences,
      ...tables,
      ...mapViews(input),
    ],
    backfills: new Map([...drafts.values()].map((draft) => [draft.physicalName, draft.backfills])),
    fills: new Map([...drafts.values()].map((draft) => [draft.physicalName, draft.fills])),
    updates: labelUpdates(input, keptTables, context),
    questions: [...questions],
  }
}

function refuseOthers(difference: Difference): void {
  const [first] = difference.others.flatMap((change) =>
    change.kind === 'created' ? [change.after] : [],
  )
  if (first === undefined) return
  throw unsupported(
    `${first.what} "${first.name}": this kind of object is not supported`,
    'Supported are schemas, types, functions of LANGUAGE sql, tables, columns, keys, checks, indexes, sequences and views.',
  )
}

function takenNames(rows: Iterable<StoredObject>): Map<string, PhysicalNames> {
  const names = new Map<string, PhysicalNames>()
  const take = (schema: string, name: string): void => namesOf(names, schema).take(name)
  const takeTable = ({ name, checks, foreignKeys, indexes }: StoredTable['physical']): void => {
    const schema = takeQualified(name, take)
    for (const index of indexes) take(schema, index.name)
    for (const part of [...checks, ...foreignKeys]) namesOf(names, schema).takeConstraint(part.name)
  }
  for (const row of rows) {
    if (row.kind === 'schema' && row.physical !== '') take('', row.physical)
    if (row.kind === 'view' && row.physical !== undefined) takeQualified(row.physical.name, take)
    if (row.kind === 'sequence') takeQualified(row.physical.name, take)
    if (row.kind === 'table') takeTable(row.physical)
  }
  return names
}

/** Returns the schema. */
function takeQualified(physical: string, take: (schema: string, name: string) => void): string {
  const schema = physicalSchemaOf(physical)
  take(schema, physical.slice(schema === '' ? 0 : schema.length + 1))
  return schema
}

function namesOf(all: Map<string, PhysicalNames>, schema: string): PhysicalNames {
  const found = all.get(schema)
  if (found !== undefined) return found
  const [sibling] = all.values()
  const made = new PhysicalNames([], sibling)
  all.set(schema, made)
  return made
}

function mapSchemas(input: MappingInput, names: Map<string, PhysicalNames>): StoredSchema[] {
  return input.difference.schemas.flatMap((change): StoredSchema[] => {
    if (change.kind === 'dropped') return []
    const { declared, oid } = change.after
    const stored = input.stored.get(oid)
    if (stored?.kind === 'schema') return [{ ...stored, declared }]
    if (declared.name === RESERVED_SCHEMA) {
      throw unsupported(`schema name "${RESERVED_SCHEMA}" is reserved`, 'Choose another name.')
    }
    const physical = declared.name === 'public' ? '' : namesOf(names, '').allocate(declared.name)
    return [{ kind: 'schema', id: input.newId(), declared, physical }]
  })
}

function mapSequences(
  input: MappingInput,
  {
    widths,
    names,
    physicalSchema,
  }: Pick<MappingContext, 'names' | 'physicalSchema'> & {
    readonly widths: ReadonlyMap<string, readonly SequenceWidth[]>
  },
): StoredSequence[] {
  return input.difference.sequences.flatMap((change): StoredSequence[] => {
    if (change.kind === 'dropped') return []
    const { declared, oid } = change.after
    const width = sequenceWidth(declared, widths.get(relationKey(declared)) ?? [])
    const stored = input.stored.get(oid)
    if (stored?.kind === 'sequence') return [keepSequence(stored, change.after.declared, width)]
    checkSequence(declared)
    const schema = physicalSchema(declared.schema)
    const name = qualifyPhysical(schema, names(schema).allocate(declared.name))
    const values = canSpread(declared) ? input.sequenceKind : 'ascending'
    return [
      {
        kind: 'sequence',
        id: input.newId(),
        declared,
        physical: { name, ...startCounterOf(declared, values) },
        values,
        nextvalSql: nextvalSqlOf(name, declared, { values, width }),
      },
    ]
  })
}

function keepSequence(
  stored: StoredSequence,
  declared: StoredSequence['declared'],
  width: SequenceWidth,
): StoredSequence {
  const { values, physical } = stored
  checkSequence(declared)
  if (values === 'ascending') {
    if (stored.declared.increment !== declared.increment) {
      throw unsupported(
        `INCREMENT of sequence "${declared.name}" cannot be changed`,
        'Create a new sequence with the new increment.',
      )
    }
    const origin = stored.origin ?? stored.declared.start
    const nextvalSql = nextvalSqlOf(physical.name, declared, { values, width, origin })
    const { origin: _known, ...kept } = stored
    const changed = origin === declared.start ? {} : { origin }
    return { ...kept, ...changed, declared, nextvalSql }
  }
  if (!canSpread(declared)) {
    throw unsupported(
      `sequence "${declared.name}" cannot be given bounds or a negative INCREMENT`,
      'Its values are spread over the whole range: create a new sequence with the bounds.',
    )
  }
  const nextvalSql = nextvalSqlOf(physical.name, declared, { values, width })
  return { ...stored, declared, nextvalSql }
}

/** Which integer columns each sequence fills: its values must fit the narrowest. */
function findColumnWidths(changes: readonly TableChange[]): Map<string, SequenceWidth[]> {
  const widths = new Map<string, SequenceWidth[]>()
  for (const { table } of changes) {
    if (table.kind === 'dropped') continue
    for (const column of table.after.declared.columns) {
      const width = columnWidth(column)
      if (width === undefined) continue
      for (const sequence of column.defaultSequences ?? []) {
        const key = relationKey(sequence)
        widths.set(key, [...(widths.get(key) ?? []), width])
      }
    }
  }
  return widths
}

/** Spanner fills the column itself where the default is a draw from one sequence and nothing else, and for identity columns. */
function findSequenceDefault(
  column: DeclaredColumn,
  table: DeclaredTable,
  sequences: readonly StoredSequence[],
): string | undefined {
  if (column.identity !== undefined) {
    return sequences.find(
      ({ declared: { ownedBy } }) =>
        ownedBy?.identity === true &&
        ownedBy.schema === table.schema &&
        ownedBy.name === table.name &&
        ownedBy.column === column.name,
    )?.nextvalSql
  }
  const [drawn, ...more] = column.defaultSequences ?? []
  if (drawn === undefined || more.length > 0) return undefined
  if (
    !/^\(*nextval\('(?:[^']|'')+'::regclass\)\)*(?:::(?:integer|smallint|bigint))?$/.test(
      column.default ?? '',
    )
  )
    return undefined
  const key = relationKey(drawn)
  return sequences.find(({ declared }) => relationKey(declared) === key)?.nextvalSql
}

function mapViews(input: MappingInput): StoredObject[] {
  return input.difference.views.flatMap((change): StoredObject[] => {
    if (change.kind === 'dropped') return []
    const { oid, declared } = change.after
    const stored = input.stored.get(oid)
    if (stored?.kind !== 'view') return [{ kind: 'view', id: input.newId(), declared }]
    if (stored.physical !== undefined && isOtherQuery(change, input.difference)) {
      throw unsupported(
        `view "${declared.name}" cannot be replaced: Spanner has it, too`,
        'Drop it and create it again, or change it with DDL of Spanner.',
      )
    }
    return [{ ...stored, declared }]
  })
}

/** Whether a view that stays has another query, and not the same one after something in it was renamed. */
function isOtherQuery(change: Difference['views'][number], difference: Difference): boolean {
  if (change.kind !== 'kept') return false
  if (change.before.declared.definition === change.after.declared.definition) return false
  return ![
    ...difference.schemas,
    ...difference.views,
    ...difference.tables.map((t) => t.table),
  ].some(isRenamed)
}

type Named = { readonly declared: DeclaredSchema | DeclaredTable | DeclaredView }

function isRenamed(change: Change<Named>): boolean {
  if (change.kind !== 'kept') return false
  return !isSameDeclaration(namesIn(change.before.declared), namesIn(change.after.declared))
}

function namesIn(object: Named['declared']): unknown {
  const columns = object.kind === 'schema' ? [] : object.columns.map(({ name }) => name)
  return [declaredKey(object), columns]
}
