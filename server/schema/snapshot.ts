import { Bug } from '../base/pg-error.ts'
import type { ServiceQuery, ServiceRow } from '../companion/companion-types.ts'
import type { Volatility } from '../sql/builtin-catalog.ts'
import { arrayText } from '../types/array-text.ts'
import type {
  DeclaredColumn,
  DeclaredConstraint,
  DeclaredDomain,
  DeclaredEnum,
  DeclaredExtension,
  DeclaredFunction,
  DeclaredIndex,
  DeclaredSchema,
  DeclaredSequence,
  DeclaredTable,
  DeclaredView,
} from './declared-object.ts'
import { ALL_PARTS, SNAPSHOT_SETTINGS, type SnapshotPart, snapshotQuery } from './snapshot-query.ts'

/** The schema of one mirror as its catalogs say it, by OID: a value, made at one moment and never changed. */
export interface Snapshot {
  readonly schemas: ReadonlyMap<number, CatalogSchema>
  readonly extensions: ReadonlyMap<number, CatalogExtension>
  readonly enums: ReadonlyMap<number, CatalogEnum>
  readonly domains: ReadonlyMap<number, CatalogDomain>
  readonly functions: ReadonlyMap<number, CatalogFunction>
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

export interface CatalogFunction {
  readonly oid: number
  readonly declared: DeclaredFunction
  readonly volatility: Volatility
  /** pg_type.oid, beside `declared.argumentTypes`. */
  readonly argumentTypes: readonly number[]
  readonly resultType: number
  /** pg_language.lanname. */
  readonly language: string
  readonly isSecurityDefiner: boolean
  /** `name=value`, of SET clauses. */
  readonly settings: readonly string[]
  /** Tables, views and sequences that it depends on, by their row types or in a body that PostgreSQL keeps as a tree. */
  readonly relations: readonly string[]
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
export type CatalogQuery = ServiceQuery

interface TableBody {
  readonly declared: Omit<DeclaredTable, 'columns' | 'constraints' | 'indexes'>
  readonly columns: readonly { readonly attribute: number; readonly declared: DeclaredColumn }[]
  readonly constraints: readonly { readonly oid: number; readonly declared: DeclaredConstraint }[]
  readonly indexes: readonly { readonly oid: number; readonly declared: DeclaredIndex }[]
}

/** What the settings were, and are from then on: OFFSET keeps PostgreSQL from asking only when they are set. */
const EXCHANGE_SETTINGS = `
select s.name, o.value, pg_catalog.set_config(s.name, s.value, true)
from rows from (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) s(name, value),
  lateral (select pg_catalog.current_setting(s.name) as value offset 0) o`

/** Runs queries under SNAPSHOT_SETTINGS inside the connection's open transaction, and gives the settings back. */
export async function withSnapshotSettings<T>(
  query: CatalogQuery,
  work: () => Promise<T>,
): Promise<T> {
  const settings = Object.entries(SNAPSHOT_SETTINGS)
  // They are queued up: the first question of `work` is on its way before the settings are answered.
  const [saved, result] = await Promise.all([exchangeSettings(query, settings), work()])
  await exchangeSettings(
    query,
    saved.map(({ name, value }) => [name ?? '', value ?? '']),
  )
  return result
}

function exchangeSettings(
  query: CatalogQuery,
  settings: readonly (readonly [string, string])[],
): Promise<readonly ServiceRow[]> {
  const names = settings.map(([name]) => name)
  const values = settings.map(([, value]) => value)
  return query(EXCHANGE_SETTINGS, [arrayText(names), arrayText(values)])
}

/** Reads parts of a schema, tables, views and sequences by OID, as they are inside the connection's open transaction. */
export async function readRelations(
  query: CatalogQuery,
  oids: Iterable<number> | undefined,
  parts: ReadonlySet<SnapshotPart> = ALL_PARTS,
): Promise<Snapshot> {
  if (parts.size === 0) return parseSnapshot([])
  const wanted = oids === undefined ? null : `{${[...oids].join(',')}}`
  // Tables alone are what is asked for most, and most of the time would go into planning.
  const isPrepared = parts.size === 1 && parts.has('table')
  return parseSnapshot(await query(snapshotQuery(parts), [wanted], { isPrepared }))
}

/** Reads the whole schema as it is inside the connection's open transaction. */
export function readPinnedSnapshot(query: CatalogQuery): Promise<Snapshot> {
  return withSnapshotSettings(query, () => readRelations(query, undefined))
}

/**
 * Reads the committed schema over a service connection, in one statement that sets what it needs for itself alone. Rejects with 55P03 where
 * open DDL of a client holds what is to be printed for longer than a second: that client may be waiting for whoever reads.
 */
export async function readCommittedSnapshot(query: CatalogQuery): Promise<Snapshot> {
  return parseSnapshot(await query(SNAPSHOT_QUERY_WITH_SETTINGS, [null]))
}

const COMMITTED_SETTINGS = { ...SNAPSHOT_SETTINGS, lock_timeout: '1s' }

/** MATERIALIZED and the reference from `ns` make PostgreSQL set them before the first definition is printed. */
const SNAPSHOT_QUERY_WITH_SETTINGS = snapshotQuery(ALL_PARTS)
  .replace(
    'with ns as materialized (',
    `with settings as materialized (
  select pg_catalog.count(pg_catalog.set_config(n, v, true)) as n from (values ${Object.entries(
    COMMITTED_SETTINGS,
  )
    .map(([name, value]) => `('${name}', '${value}')`)
    .join(', ')}) s(n, v)),
ns as materialized (`,
  )
  .replace('from pg_namespace where', 'from settings, pg_namespace where n > 0 and')

/** Builds a snapshot from the rows of SNAPSHOT_QUERY. */
export function parseSnapshot(rows: readonly ServiceRow[]): Snapshot {
  const schemas = new Map<number, CatalogSchema>()
  const extensions = new Map<number, CatalogExtension>()
  const enums = new Map<number, CatalogEnum>()
  const domains = new Map<number, CatalogDomain>()
  const functions = new Map<number, CatalogFunction>()
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
      case 'function':
        functions.set(oid, { ...(body as Omit<CatalogFunction, 'oid'>), oid })
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
  return { schemas, extensions, enums, domains, functions, sequences, tables, views, others }
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
