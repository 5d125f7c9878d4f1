import { Bug } from '../base/pg-error.ts'
import { emitPostgresName, quoteIdentifier } from '../schema/postgres-text.ts'
import type { CopyTable } from '../sql/copy-command.ts'
import { OID } from '../types/pg-type.ts'
import { splitDataRow } from '../wire/data-row.ts'
import { notSupported } from './client-error.ts'
import type { SessionState } from './session-state.ts'
import { catalogSource } from './temporary-tables.ts'

/** The relation that COPY names, as the catalogs know it. */
export interface CopyTarget {
  readonly schema: string
  readonly name: string
  /** Not one of PostgreSQL's own relations. */
  readonly isUsers: boolean
  /** pg_class.relkind. */
  readonly kind: string
  /** Those that COPY names, in its order; else all. Names that the relation does not have are left out. */
  readonly columns: readonly CopyColumn[]
}

export interface CopyColumn {
  readonly name: string
  readonly typeOid: number
  /** GENERATED ALWAYS AS IDENTITY. */
  readonly isAlwaysIdentity: boolean
}

const TARGET_SQL = `SELECT n.nspname, c.relname, c.relkind, c.oid >= 16384, a.attname, a.atttypid, a.attidentity
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  WHERE c.oid = $1::pg_catalog.text::pg_catalog.regclass ORDER BY a.attnum`

/** Finds the relation. Rejects with 42P01 (3F000 ...) as PostgreSQL does where there is none. */
export async function copyTarget(state: SessionState, table: CopyTable): Promise<CopyTarget> {
  const written = [...(table.schema === undefined ? [] : [table.schema]), table.name]
  const { rows } = await catalogSource(state).read({
    text: TARGET_SQL,
    paramTypes: [OID.text],
    paramFormats: [],
    params: [Buffer.from(written.map(quoteIdentifier).join('.'))],
    resultFormats: [],
    session: state.context(),
    signal: state.scope.signal,
  })
  const cells = rows.map((row) => splitDataRow(row).map((cell) => cell?.toString() ?? ''))
  const [first] = cells
  if (first === undefined) throw new Bug('a relation has no row in pg_class')
  const [schema = '', name = '', kind = '', isUsers] = first
  if (schema.startsWith('pg_temp_')) {
    throw notSupported('COPY of a temporary table', 'Use INSERT with several rows, or SELECT.')
  }
  const all = cells.map(([, , , , column = '', typeOid, identity]) => ({
    name: column,
    typeOid: Number(typeOid),
    isAlwaysIdentity: identity === 'a',
  }))
  return { schema, name, kind, isUsers: isUsers === 't', columns: chosen(table, all) }
}

function chosen({ columns }: CopyTable, all: readonly CopyColumn[]): readonly CopyColumn[] {
  if (columns === undefined) return all.filter(({ name }) => name !== '')
  const byName = new Map(all.map((column) => [column.name, column]))
  return columns.flatMap((name) => byName.get(name) ?? [])
}

/** A SELECT of the target's columns. */
export function selectTarget(target: CopyTarget): string {
  const columns = target.columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  return `SELECT ${columns} FROM ONLY ${emitPostgresName(target)}`
}
