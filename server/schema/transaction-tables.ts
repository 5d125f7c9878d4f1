import { type CatalogQuery, withSnapshotSettings } from './snapshot.ts'
import { OWN, WROTE } from './transaction-changes.ts'

/** A table as an open transaction has it. */
export interface TableNow {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** Whether the transaction wrote to its columns or its CHECKs. */
  readonly isWritten: boolean
  /** Without dropped columns, by attribute number. */
  readonly columns: readonly ColumnNow[]
}

export interface ColumnNow {
  readonly attribute: number
  readonly name: string
  /** pg_attribute's: of a column of a domain, the domain. */
  readonly typeOid: number
  readonly typmod: number
  /** As a cast writes the type. */
  readonly type: string
  readonly isGenerated: boolean
  /** pg_attribute.attmissingval, for rows that are older than the column; null where there is none. */
  readonly missing: string | null
}

/** A label of an enum that an open transaction has made or renamed. */
export interface LabelNow {
  /** pg_enum.oid */
  readonly oid: number
  readonly typeOid: number
  readonly arrayOid: number
  readonly label: string
}

export interface TablesNow {
  readonly tables: readonly TableNow[]
  readonly labels: readonly LabelNow[]
}

const COLUMN = `json_build_object('attribute', a.attnum, 'name', a.attname, 'typeOid', a.atttypid::int8, 'typmod', a.atttypmod,
  'type', format_type(a.atttypid, a.atttypmod), 'isGenerated', a.attgenerated <> '',
  'missing', case when a.atthasmissing then (a.attmissingval::text::text[])[1] end)`

const TABLES_NOW = `${OWN}
select (select coalesce(json_agg(json_build_object('oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname,
    'isWritten', exists (select from own, pg_attribute a where a.attrelid = c.oid and ${WROTE('a')})
      or exists (select from own, pg_constraint k where k.conrelid = c.oid and k.contype = 'c' and ${WROTE('k')}),
    'columns', (select coalesce(json_agg(${COLUMN} order by a.attnum), '[]') from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped))), '[]')
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid in (select o::oid from json_array_elements_text($1::json) o))::text as tables,
  (select coalesce(json_agg(json_build_object('oid', e.oid::int8, 'typeOid', t.oid::int8, 'arrayOid', t.typarray::int8, 'label', e.enumlabel)), '[]')
    from own, pg_enum e join pg_type t on t.oid = e.enumtypid where ${WROTE('e')})::text as labels`

/** Tables by OID, and the labels of enums, as the open transaction of the connection has made them. The search path is to be pg_catalog. */
export async function readTablesNow(
  query: CatalogQuery,
  oids: readonly number[],
): Promise<TablesNow> {
  const [row] = await withSnapshotSettings(query, () => query(TABLES_NOW, [JSON.stringify(oids)]))
  return {
    tables: JSON.parse(row?.['tables'] ?? '[]') as readonly TableNow[],
    labels: JSON.parse(row?.['labels'] ?? '[]') as readonly LabelNow[],
  }
}

/** The value that a column got that was added to a table with rows. */
export type AddedValue = {
  /** The default, as PostgreSQL prints it, when the column was added; null: it had none. */
  readonly initial: string | null
} & (
  | {
      readonly kind: 'constant'
      /** As text; null is NULL. */
      readonly text: string | null
      /** The type that the column had then, and as a cast writes it. */
      readonly typeOid: number
      readonly type: string
      /** It stands for the start of the client's transaction, of which the catalogs know nothing. */
      readonly isMoment: boolean
    }
  /** Another one for each row. */
  | { readonly kind: 'drawn' }
)

/** By {@link addedKey}. */
export type AddedValues = ReadonlyMap<string, AddedValue>

export function addedKey(relid: number, attribute: number): string {
  return `${relid}.${attribute}`
}

/** Whether a default calls a volatile function; nextval() is one. */
const IS_VOLATILE = `exists (select from regexp_matches(f.expr::text, ':(?:funcid|opfuncid) (\\d+)', 'g') m
  join pg_proc p on p.oid = m[1]::oid where p.provolatile = 'v')`

/** now(), transaction_timestamp() and statement_timestamp(), and SQLValueFunctionOp (nodes/primnodes.h) from CURRENT_DATE to LOCALTIMESTAMP(n). */
const IS_MOMENT = `f.expr::text ~ ':funcid (1299|2647|2648) |SQLVALUEFUNCTION :op [0-8] '`

const ADDED = `${OWN}
select a.attrelid::text as relid, a.attnum::text as attribute, a.atttypid::int8::text as type_oid, format_type(a.atttypid, a.atttypmod) as type,
  case when a.atthasmissing then (a.attmissingval::text::text[])[1] end as missing,
  (a.attidentity <> '' or coalesce(${IS_VOLATILE}, false))::text as drawn,
  coalesce(${IS_MOMENT}, false)::text as moment,
  case when a.attgenerated = '' then pg_get_expr(f.expr, a.attrelid) end as default
  from own, pg_attribute a join pg_class c on c.oid = a.attrelid and c.relkind = 'r'
  join pg_type t on t.oid = a.atttypid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum,
  lateral (select coalesce(d.adbin, t.typdefaultbin) as expr) f
  where a.attnum > 0 and not a.attisdropped and ${WROTE('a')}`

/** The value of an expression as text. */
export type Evaluate = (expression: string) => Promise<string | null>

/**
 * The values of columns that the last statement of an open transaction has added, in tables that were there before: to be asked after each
 * statement, for a rewrite of the table takes from the catalogs what they were. `isKnown` says of a column whether it was there before.
 */
export async function readAddedValues(
  query: CatalogQuery,
  {
    isKnown,
    evaluate,
  }: {
    readonly isKnown: (relid: number, attribute: number) => boolean
    readonly evaluate: Evaluate
  },
): Promise<AddedValues> {
  const found = new Map<string, AddedValue>()
  for (const row of await withSnapshotSettings(query, () => query(ADDED))) {
    const relid = Number(row['relid'])
    const attribute = Number(row['attribute'])
    if (isKnown(relid, attribute)) continue
    const key = addedKey(relid, attribute)
    const type = row['type'] ?? ''
    const { missing = null, default: written = null } = row
    const isMoment = row['moment'] === 'true'
    if (row['drawn'] === 'true') found.set(key, { kind: 'drawn', initial: written })
    else {
      const isTold = written === null || (missing !== null && !isMoment)
      const text = isTold ? missing : await evaluate(`CAST(${written} AS ${type})`)
      const typeOid = Number(row['type_oid'])
      found.set(key, { kind: 'constant', initial: written, text, typeOid, type, isMoment })
    }
  }
  return found
}

/** The values after ALTER TYPE .. RENAME VALUE. */
export function withLabelRenamed(
  added: AddedValues,
  { typeOid, from, to }: { readonly typeOid: number; readonly from: string; readonly to: string },
): AddedValues {
  const renamed = (value: AddedValue): AddedValue =>
    value.kind === 'constant' && value.typeOid === typeOid && value.text === from
      ? { ...value, initial: null, text: to }
      : value
  return new Map([...added].map(([key, value]) => [key, renamed(value)]))
}
