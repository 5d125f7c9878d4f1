import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { Column, LogicalSchema, Relation, Table } from '../schema/logical-schema.ts'
import { quoteIdentifier, quoteLiteral } from '../schema/postgres-text.ts'
import {
  type AddedValue,
  type AddedValues,
  addedKey,
  type ColumnNow,
  type TableNow,
  type TablesNow,
} from '../schema/transaction-tables.ts'
import { FIRST_USER_OID, findTypeName } from '../sql/builtin-catalog.ts'
import type { TreeUses } from '../sql/tree-uses.ts'
import { OID } from '../types/pg-type.ts'
import type { ChangedLoad, Load } from './plan.ts'

/*
 * Spanner knows nothing yet of what an open transaction has declared. What stands in its tables is found by attribute numbers: a renamed column
 * is the same one, a dropped one is gone from the tree. What Spanner cannot give (a column that was added, or that has another type now)
 * is no column for the emitter, so that a statement that names it is emulated; the rows go into a temporary table as they are stored, and from
 * there, as ALTER TABLE would have rewritten them, into the table as the transaction has it.
 */

/** The name of the temporary table. It is gone before the statement runs. */
const STORED_ROWS = 'pg_temp."spanwire_stored_rows"'

/** What an open transaction has made of the tables of one statement. */
export class ChangedTables {
  /** The schema with the tables as Spanner can read them, under the transaction's names. */
  readonly schema: LogicalSchema
  readonly #changed: ReadonlyMap<number, ChangedTable>

  constructor(committed: LogicalSchema, now: TablesNow, added: AddedValues) {
    const labels = relabelled(committed, now)
    const changed = new Map<number, ChangedTable>()
    for (const table of now.tables) {
      const stored = committed.relations.get(table.oid)
      if (stored?.kind !== 'table') continue
      const change = new ChangedTable(stored, table, { labels, added })
      if (change.isChanged) changed.set(table.oid, change)
    }
    this.#changed = changed
    this.schema = overlaid(committed, changed, now)
  }

  /** undefined: the table is as Spanner has it. */
  find(relid: number): ChangedTable | undefined {
    return this.#changed.get(relid)
  }
}

/** The committed tables that a statement names. */
export function tablesNamed({ relations }: TreeUses, schema: LogicalSchema): readonly number[] {
  const oids = new Set(relations.map(({ relid }) => relid))
  return [...oids].filter(
    (oid) => oid >= FIRST_USER_OID && schema.relations.get(oid)?.kind === 'table',
  )
}

function overlaid(
  committed: LogicalSchema,
  changed: ReadonlyMap<number, ChangedTable>,
  { labels }: TablesNow,
): LogicalSchema {
  if (changed.size === 0 && labels.length === 0) return committed
  const { userTypes } = committed
  const relations = new Map<number, Relation>(committed.relations)
  for (const [oid, { readable }] of changed) relations.set(oid, readable)
  const names = new Map([
    ...userTypes.labels,
    ...labels.map(({ oid, label }) => [oid, label] as const),
  ])
  return { ...committed, relations, userTypes: { ...userTypes, labels: names } }
}

/** Labels that rows hold, and what they are called now. */
interface Relabelling {
  readonly labels: Map<string, string>
  /** The rows hold arrays of them. */
  readonly isArray: boolean
}

/** By the OID of an enum, or of the arrays of one. */
type Relabelled = ReadonlyMap<number, Relabelling>

function relabelled({ userTypes }: LogicalSchema, now: TablesNow): Relabelled {
  const found = new Map<number, Relabelling>()
  for (const { oid, typeOid, arrayOid, label } of now.labels) {
    const stored = userTypes.labels.get(oid)
    if (stored === undefined || stored === label) continue
    const labels = found.get(typeOid)?.labels ?? new Map<string, string>()
    labels.set(stored, label)
    found.set(typeOid, { labels, isArray: false })
    found.set(arrayOid, { labels, isArray: true })
  }
  return found
}

interface Changes {
  readonly labels: Relabelled
  readonly added: AddedValues
}

/** A table that Spanner has otherwise than the transaction. */
export class ChangedTable {
  readonly isChanged: boolean
  /** With the columns that mean what Spanner stores. */
  readonly readable: Table
  readonly #stored: Table
  readonly #now: TableNow
  readonly #changes: Changes

  constructor(stored: Table, now: TableNow, changes: Changes) {
    this.#stored = stored
    this.#now = now
    this.#changes = changes
    this.readable = { ...stored, schema: now.schema, name: now.name, columns: this.#readable() }
    this.isChanged =
      now.isWritten ||
      now.schema !== stored.schema ||
      now.name !== stored.name ||
      this.readable.columns.length < stored.columns.length
  }

  /** All that Spanner has of the columns that are left, to be read from the committed table. */
  get loaded(): readonly Column[] {
    const columns = this.#now.columns.flatMap((now) => {
      const column = this.#storedOf(now)
      return column === undefined || now.isGenerated ? [] : [column]
    })
    return columns.length > 0 ? columns : this.#stored.columns.slice(0, 1)
  }

  get stored(): Table {
    return this.#stored
  }

  /** What becomes of the rows of a load of {@link loaded}. `attributes` are those that the statement reads. */
  convert(load: Load, attributes: ReadonlySet<number>): Load {
    const { schema, name, oid, columns } = this.#now
    const table = { oid, schema, name }
    const { schema: storedSchema, name: storedName } = this.#stored
    const stored = { schema: storedSchema, name: storedName }
    const kept = columns.filter((now) => !now.isGenerated && this.#storedOf(now) !== undefined)
    const written = columns.filter((now) => !now.isGenerated)
    if (
      kept.length > 0 &&
      written.length === kept.length &&
      written.every((c) => this.#isReadable(c))
    ) {
      const named = load.columns.map((column, i) => ({
        ...column,
        name: kept[i]?.name ?? column.name,
      }))
      return { ...load, table, columns: named, changed: { stored } }
    }
    const cells = load.columns.map((column, i) => ({ ...column, name: `c${i + 1}` }))
    const types = this.loaded.map((column) => this.#stagedType(column))
    const values = written.map((now) => this.#valueOf(now))
    const list = written.map((now) => quoteIdentifier(now.name)).join(', ')
    const names = list === '' ? '' : `(${list}) `
    const staged = cells.map((cell, i) => `${cell.name} ${types[i]}`).join(', ')
    const into = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
    const changed: ChangedLoad = {
      stored,
      staged: {
        table: STORED_ROWS,
        before: [`CREATE TEMPORARY TABLE ${STORED_ROWS} (${staged})`],
        after: [
          `INSERT INTO ${into} ${names}OVERRIDING SYSTEM VALUE SELECT ${values.join(', ')} FROM ${STORED_ROWS}`,
          `DROP TABLE ${STORED_ROWS}`,
        ],
      },
      refusal: this.#refusal(attributes),
    }
    return { ...load, table, columns: cells, changed }
  }

  #readable(): readonly Column[] {
    return this.#now.columns.flatMap((now) => {
      const column = this.#storedOf(now)
      return column !== undefined && this.#isReadable(now) ? [{ ...column, name: now.name }] : []
    })
  }

  #storedOf({ attribute }: ColumnNow): Column | undefined {
    return this.#stored.columns.find((column) => column.attribute === attribute)
  }

  /** Whether what Spanner stores means the same under the type that the column has now. */
  #isReadable(now: ColumnNow): boolean {
    const column = this.#storedOf(now)
    if (column === undefined || this.#labelsOf(column) !== undefined) return false
    if (column.domain !== undefined) return column.domain.oid === now.typeOid
    return column.typeOid === now.typeOid && column.typmod === now.typmod
  }

  #labelsOf({ typeOid }: Column): Relabelling | undefined {
    return this.#changes.labels.get(typeOid)
  }

  /** Types that clients made may be gone: their values are texts that their input functions read. */
  #stagedType({ typeOid, attribute }: Column): string {
    const now = this.#now.columns.find((column) => column.attribute === attribute)
    if (now !== undefined && this.#isReadable(now)) return now.type
    const builtin = findTypeName(typeOid)
    return builtin === undefined ? 'pg_catalog.text' : `pg_catalog.${quoteIdentifier(builtin)}`
  }

  #valueOf(now: ColumnNow): string {
    const column = this.#storedOf(now)
    if (column === undefined) return addedCell(now, this.#addedOf(now))
    const place = this.loaded.findIndex(({ attribute }) => attribute === now.attribute)
    const cell = `c${place + 1}`
    if (this.#isReadable(now) || column.typeOid < FIRST_USER_OID) return cell
    return asInput(withLabels(cell, this.#labelsOf(column)), now)
  }

  #addedOf({ attribute, missing, type, typeOid }: ColumnNow): AddedValue | undefined {
    const added = this.#changes.added.get(addedKey(this.#now.oid, attribute))
    const isMoment = added?.kind === 'constant' && added.isMoment
    if (missing !== null && !isMoment)
      return { kind: 'constant', initial: null, text: missing, typeOid, type, isMoment }
    return added
  }

  /** Where the statement reads what only COMMIT will tell: 0A000 as soon as there is a row. */
  #refusal(attributes: ReadonlySet<number>): PgError | undefined {
    for (const now of this.#now.columns) {
      const isRead = attributes.has(0) || attributes.has(now.attribute)
      if (!isRead || now.isGenerated || this.#storedOf(now) !== undefined) continue
      if (this.#addedOf(now)?.kind === 'drawn') return unknownUntilCommit(this.#now, now)
    }
    return undefined
  }
}

function withLabels(cell: string, relabelling: Relabelling | undefined): string {
  if (relabelling === undefined) return cell
  const branches = [...relabelling.labels].map(
    ([stored, label]) => `WHEN ${quoteLiteral(stored)} THEN ${quoteLiteral(label)}`,
  )
  const changed = (value: string) => `CASE ${value} ${branches.join(' ')} ELSE ${value} END`
  if (!relabelling.isArray) return changed(cell)
  const elements = `pg_catalog.unnest(CAST(${cell} AS pg_catalog.text[])) WITH ORDINALITY AS e (label, place)`
  return `CASE WHEN ${cell} IS NOT NULL THEN ARRAY(SELECT ${changed('e.label')} FROM ${elements} ORDER BY e.place) END`
}

/** A text for a column of any type; texts are assigned by themselves, so that their lengths are looked at. */
function asInput(value: string, { typeOid, type }: ColumnNow): string {
  return TEXTS.has(typeOid) ? value : `CAST(${value} AS ${type})`
}

const TEXTS = new Set<number>([OID.text, OID.varchar, OID.bpchar])

function addedCell(now: ColumnNow, value: AddedValue | undefined): string {
  if (value === undefined) return 'NULL'
  if (value.kind === 'constant') {
    return value.text === null ? 'NULL' : `CAST(${quoteLiteral(value.text)} AS ${value.type})`
  }
  return stopgap(now)
}

/** For a column that nothing reads: something that NOT NULL and UNIQUE let pass. */
function stopgap({ typeOid, type }: ColumnNow): string {
  if (NUMBERS.has(typeOid)) return `CAST(pg_catalog.row_number() OVER () AS ${type})`
  if (typeOid === OID.uuid) return 'pg_catalog.gen_random_uuid()'
  return TEXTS.has(typeOid) ? `CAST(pg_catalog.row_number() OVER () AS ${type})` : 'NULL'
}

const NUMBERS = new Set<number>([OID.int2, OID.int4, OID.int8, OID.numeric, OID.float4, OID.float8])

function unknownUntilCommit(table: TableNow, { name }: ColumnNow): PgError {
  return new PgError(
    SQL_STATE.featureNotSupported,
    `column "${name}" of table "${table.name}" gets its values when the transaction commits`,
    {
      hint: 'Commit the transaction before reading it: Spanner draws the values.',
      schema: table.schema,
      table: table.name,
      column: name,
    },
  )
}
