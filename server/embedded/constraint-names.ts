import type { ServiceRow } from '../companion/companion-types.ts'
import { INTERLEAVE_PREFIX } from './ddl-names.ts'
import type { ConstraintInfo, ConstraintNames } from './error-texts.ts'

/** Constraints and unique indexes of all tables, with the columns of their keys and how many leading columns the primary key has. */
export const CONSTRAINTS_QUERY = `
SELECT n.nspname AS schema, c.relname AS "table", k.conname AS name, k.contype::text AS kind, to_json(ARRAY(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY u(num, pos)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY pos))::text AS columns, _spanner.shown(k.confrelid) AS referenced,
  to_json(ARRAY(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY u(num, pos)
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY pos))::text AS referenced_columns,
  COALESCE((SELECT CASE WHEN p.conkey = ARRAY(SELECT g::int2 FROM generate_series(1, cardinality(p.conkey)) g) THEN cardinality(p.conkey) ELSE 0 END
    FROM pg_constraint p WHERE p.conrelid = k.conrelid AND p.contype = 'p'), 0)::text AS leading
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype IN ('p', 'f', 'c')
UNION ALL
SELECT n.nspname, c.relname, i.relname, 'u', '[]', NULL, '[]', '0' FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE (x.indisunique OR x.indisexclusion) AND NOT x.indisprimary AND n.nspname !~ '^pg_'`

const KINDS: Readonly<Record<string, ConstraintInfo['kind']>> = {
  p: 'primary-key',
  u: 'unique-index',
  f: 'foreign-key',
  c: 'check',
}

/** What the texts of constraint errors need to know, from the rows of {@link CONSTRAINTS_QUERY}. */
export function constraintNames(rows: readonly ServiceRow[]): ConstraintNames {
  const infos = new Map<string, ConstraintInfo>()
  for (const row of rows) {
    const kind = KINDS[row['kind'] ?? ''] ?? 'check'
    infos.set(keyOf(row['schema'] ?? '', row['table'] ?? '', row['name'] ?? ''), {
      kind:
        kind === 'foreign-key' && row['name']?.startsWith(INTERLEAVE_PREFIX) ? 'interleave' : kind,
      columns: names(row['columns']),
      referencedTable: row['referenced'] ?? undefined,
      referencedColumns: names(row['referenced_columns']),
      leadingKeyColumns: Number(row['leading']),
    })
  }
  return { find: (schema, table, name) => infos.get(keyOf(schema, table, name)) }
}

function keyOf(schema: string, table: string, name: string): string {
  return JSON.stringify([schema, table, name])
}

function names(json: string | null | undefined): string[] {
  const parsed: unknown = JSON.parse(json ?? '[]')
  return Array.isArray(parsed) ? parsed.map(String) : []
}
