import { Bug } from '../base/pg-error.ts'
import { emitPostgresName, quoteIdentifier } from '../schema/postgres-text.ts'
import type { CopyTable } from '../sql/copy-command.ts'
import { notSupported } from './client-error.ts'
import type { SessionState } from './session-state.ts'
import { readTexts } from './text-request.ts'

/** The relation that COPY names, as the catalogs know it. */
export interface CopyTarget {
  readonly oid: string
  readonly schema: string
  readonly name: string
  /** Not one of PostgreSQL's own relations. */
  readonly isUsers: boolean
  /** pg_class.relkind. */
  readonly kind: string
  /** Those that COPY names, in its order; else all. Names that the relation does not have are left out. */
  readonly columns: readonly CopyColumn[]
  /** Columns of the primary key that are left to their defaults. */
  readonly keysFilledIn: readonly CopyColumn[]
}

export interface CopyColumn {
  readonly name: string
  readonly typeOid: number
  /** GENERATED ALWAYS AS IDENTITY. */
  readonly isAlwaysIdentity: boolean
  /** The primary key that it is part of, where it has a default, an identity or a type with a default. */
  readonly filledInKey: string | undefined
}

const TARGET_SQL = `SELECT c.oid, n.nspname, c.relname, c.relkind, c.oid >= 16384, a.attname, a.atttypid, a.attidentity,
    CASE WHEN a.atthasdef OR a.attidentity <> '' OR t.typdefaultbin IS NOT NULL THEN k.conname END
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)
  WHERE c.oid = $1::pg_catalog.text::pg_catalog.regclass ORDER BY a.attnum`

/** Finds the relation. Rejects with 42P01 (3F000 ...) as PostgreSQL does where there is none. */
export async function copyTarget(state: SessionState, table: CopyTable): Promise<CopyTarget> {
  const written = [...(table.schema === undefined ? [] : [table.schema]), table.name]
  const cells = await readTexts(state, TARGET_SQL, [written.map(quoteIdentifier).join('.')])
  const [first] = cells
  if (first === undefined) throw new Bug('a relation has no row in pg_class')
  const [oid = '', schema = '', name = '', kind = '', isUsers] = first
  if (schema.startsWith('pg_temp_')) {
    throw notSupported('COPY of a temporary table', 'Use INSERT with several rows, or SELECT.')
  }
  const all = cells.map(([, , , , , column = '', typeOid, identity, key]) => ({
    name: column,
    typeOid: Number(typeOid),
    isAlwaysIdentity: identity === 'a',
    filledInKey: key === '' ? undefined : key,
  }))
  const columns = chosen(table, all)
  const keysFilledIn = all.filter(
    (column) => column.filledInKey !== undefined && !columns.includes(column),
  )
  return { oid, schema, name, kind, isUsers: isUsers === 't', columns, keysFilledIn }
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

/**
 * What lets the scratch database's table take rows as COPY brings them. Where nothing is brought for columns of the key, Spanner fills them in and keeps
 * the key; FREEZE wants a table that was emptied in the same transaction.
 */
export function scratchPreparation(target: CopyTarget, isTruncated: boolean): readonly string[] {
  const table = emitPostgresName(target)
  const truncate = isTruncated ? [`TRUNCATE ${table}`] : []
  const [first] = target.keysFilledIn
  if (first?.filledInKey === undefined) return truncate
  const nullable = target.keysFilledIn.map(
    ({ name }) => `, ALTER COLUMN ${quoteIdentifier(name)} DROP NOT NULL`,
  )
  const key = quoteIdentifier(first.filledInKey)
  return [...truncate, `ALTER TABLE ${table} DROP CONSTRAINT ${key}${nullable.join('')}`]
}
