import { Bug } from '../base/pg-error.ts'
import type { ServiceRow } from '../companion/companion-types.ts'
import type { Volatility } from '../sql/builtin-catalog.ts'
import type {
  DeclaredColumn,
  DeclaredConstraint,
  DeclaredDomain,
  DeclaredEnum,
  DeclaredExtension,
  DeclaredIndex,
  DeclaredSchema,
  DeclaredSequence,
  DeclaredTable,
  DeclaredView,
} from './declared-object.ts'
import { SNAPSHOT_QUERY, SNAPSHOT_SETTINGS } from './snapshot-query.ts'

/** The schema of one mirror as its catalogs say it, by OID: a value, made at one moment and never changed. */
export interface Snapshot {
  readonly schemas: ReadonlyMap<number, CatalogSchema>
  readonly extensions: ReadonlyMap<number, CatalogExtension>
  readonly enums: ReadonlyMap<number, CatalogEnum>
  readonly domains: ReadonlyMap<number, CatalogDomain>
  readonly sequences: ReadonlyMap<number, CatalogSequence>
  readonly tables: ReadonlyMap<number, CatalogTable>
  readonly views: ReadonlyMap<number, CatalogView>
  /** What has no stored form, by a key that is unique in the database. */
  readonly others: ReadonlyMap<string, OtherObject>
}

export interface CatalogSchema {
  readonly oid: number
  readonly declared: DeclaredSchema
}

export interface CatalogExtension {
  readonly oid: number
  readonly declared: DeclaredExtension
  readonly version: string
  readonly isDefaultVersion: boolean
  readonly types: readonly {
    readonly oid: number
    readonly arrayOid: number
    readonly name: string
  }[]
  readonly functions: readonly {
    readonly oid: number
    readonly name: string
    readonly volatility: Volatility
  }[]
  readonly operators: readonly { readonly oid: number; readonly name: string }[]
}

export interface CatalogEnum {
  readonly oid: number
  readonly arrayOid: number
  readonly declared: DeclaredEnum
  /** pg_enum.oid, beside `declared.labels`. */
  readonly labelOids: readonly number[]
}

export interface CatalogDomain {
  readonly oid: number
  readonly arrayOid: number
  readonly declared: DeclaredDomain
}

export interface CatalogSequence {
  readonly oid: number
  readonly typeOid: number
  /** Changes with RESTART. */
  readonly file: string
  readonly declared: DeclaredSequence
}

export interface CatalogView {
  readonly oid: number
  readonly declared: DeclaredView
}

/** The arrays of numbers run beside the arrays of `declared`. */
export interface CatalogTable {
  readonly oid: number
  readonly declared: DeclaredTable
  readonly attributes: readonly number[]
  readonly constraintOids: readonly number[]
  readonly indexOids: readonly number[]
}

export interface OtherObject {
  /** In PostgreSQL's words: `trigger`, `enumerated type`. */
  readonly what: string
  readonly name: string
}

/** Runs service SQL on one connection: CompanionDatabase.service or PinnedConnection.query. */
export type CatalogQuery = (
  text: string,
  params?: readonly (string | null)[],
) => Promise<readonly ServiceRow[]>

interface TableBody {
  readonly declared: Omit<DeclaredTable, 'columns' | 'constraints' | 'indexes'>
  readonly columns: readonly { readonly attribute: number; readonly declared: DeclaredColumn }[]
  readonly constraints: readonly { readonly oid: number; readonly declared: DeclaredConstraint }[]
  readonly indexes: readonly { readonly oid: number; readonly declared: DeclaredIndex }[]
}

/** Runs queries under SNAPSHOT_SETTINGS inside the connection's open transaction, and gives the settings back. */
export async function withSnapshotSettings<T>(
  query: CatalogQuery,
  work: () => Promise<T>,
): Promise<T> {
  const saved = await query(
    'select n as name, pg_catalog.current_setting(n) as value from pg_catalog.unnest($1::text[]) n',
    [`{${Object.keys(SNAPSHOT_SETTINGS).join(',')}}`],
  )
  await applySettings(query, SNAPSHOT_SETTINGS)
  const result = await work()
  await applySettings(
    query,
    Object.fromEntries(saved.map((row) => [row['name'] ?? '', row['value'] ?? ''])),
  )
  return result
}

/** Reads tables, views and sequences by OID, and everything else, as they are inside the connection's open transaction. */
export async function readRelations(
  query: CatalogQuery,
  oids: Iterable<number> | undefined,
): Promise<Snapshot> {
  const wanted = oids === undefined ? null : `{${[...oids].join(',')}}`
  return parseSnapshot(await query(SNAPSHOT_QUERY, [wanted]))
}

/** Reads the whole schema as it is inside the connection's open transaction. */
export function readPinnedSnapshot(query: CatalogQuery): Promise<Snapshot> {
  return withSnapshotSettings(query, () => readRelations(query, undefined))
}

/** Reads the committed schema over a service connection, in one statement that sets what it needs for itself alone. */
export async function readCommittedSnapshot(query: CatalogQuery): Promise<Snapshot> {
  return parseSnapshot(await query(SNAPSHOT_QUERY_WITH_SETTINGS, [null]))
}

/** MATERIALIZED and the reference from `ns` make PostgreSQL set them before the first definition is printed. */
const SNAPSHOT_QUERY_WITH_SETTINGS = SNAPSHOT_QUERY.replace(
  'with ns as materialized (',
  `with settings as materialized (
  select pg_catalog.count(pg_catalog.set_config(n, v, true)) as n from (values ${Object.entries(
    SNAPSHOT_SETTINGS,
  )
    .map(([name, value]) => `('${name}', '${value}')`)
    .join(', ')}) s(n, v)),
ns as materialized (`,
).replace('from pg_namespace where', 'from settings, pg_namespace where n > 0 and')

async function applySettings(
  query: CatalogQuery,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const entries = Object.entries(settings)
  const list = entries
    .map((_, i) => `pg_catalog.set_config($${2 * i + 1}, $${2 * i + 2}, true)`)
    .join(', ')
  await query(`select ${list}`, entries.flat())
}

/** Builds a snapshot from the rows of SNAPSHOT_QUERY. */
export function parseSnapshot(rows: readonly ServiceRow[]): Snapshot {
  const schemas = new Map<number, CatalogSchema>()
  const extensions = new Map<number, CatalogExtension>()
  const enums = new Map<number, CatalogEnum>()
  const domains = new Map<number, CatalogDomain>()
  const sequences = new Map<number, CatalogSequence>()
  const tables = new Map<number, CatalogTable>()
  const views = new Map<number, CatalogView>()
  const others = new Map<string, OtherObject>()
  // By OID, so that whatever is made of it comes in the order in which things were declared.
  const inOrder = [...rows].sort((a, b) => Number(a['oid']) - Number(b['oid']))
  for (const row of inOrder) {
    const key = row['oid'] ?? ''
    const oid = Number(key)
    const body: unknown = JSON.parse(row['body'] ?? '')
    switch (row['kind']) {
      case 'schema':
        schemas.set(oid, { ...(body as Omit<CatalogSchema, 'oid'>), oid })
        break
      case 'extension':
        extensions.set(oid, { ...(body as Omit<CatalogExtension, 'oid'>), oid })
        break
      case 'enum':
        enums.set(oid, { ...(body as Omit<CatalogEnum, 'oid'>), oid })
        break
      case 'domain':
        domains.set(oid, { ...(body as Omit<CatalogDomain, 'oid'>), oid })
        break
      case 'sequence':
        sequences.set(oid, { ...(body as Omit<CatalogSequence, 'oid'>), oid })
        break
      case 'table':
        tables.set(oid, toTable(oid, body as TableBody))
        break
      case 'view':
        views.set(oid, { ...(body as Omit<CatalogView, 'oid'>), oid })
        break
      case 'other':
        others.set(key, body as OtherObject)
        break
      default:
        throw new Bug(`snapshot: a row of kind ${row['kind']}`)
    }
  }
  return { schemas, extensions, enums, domains, sequences, tables, views, others }
}

function toTable(oid: number, body: TableBody): CatalogTable {
  return {
    oid,
    declared: {
      ...body.declared,
      columns: body.columns.map((column) => column.declared),
      constraints: body.constraints.map((constraint) => constraint.declared),
      indexes: body.indexes.map((index) => index.declared),
    },
    attributes: body.columns.map((column) => column.attribute),
    constraintOids: body.constraints.map((constraint) => constraint.oid),
    indexOids: body.indexes.map((index) => index.oid),
  }
}
