import { INTERLEAVE_PREFIX } from './ddl-names.ts'

/** What is written with a row beside the columns that a statement names. Columns are named by their numbers. */
export interface TableWrites {
  /** The primary key, in its order. */
  readonly key: readonly number[]
  /** Columns that are filled where an INSERT leaves them out: defaults, identities, generated ones. */
  readonly defaults: readonly number[]
  readonly generated: readonly GeneratedColumn[]
  /** Each index but the primary key's; those that back foreign keys are among them. */
  readonly indexes: readonly SecondaryIndex[]
  /** Tables whose rows are deleted with the rows that they refer to. */
  readonly cascades: readonly Cascade[]
}

interface SecondaryIndex {
  readonly name: string
  /** Keys and included ones. */
  readonly columns: readonly number[]
}

interface GeneratedColumn {
  readonly column: number
  /** Those that it is computed from. */
  readonly from: readonly number[]
}

export interface Cascade {
  readonly oid: number
  readonly isInterleaved: boolean
}

/** An expression over the row `c` of pg_class: what {@link readTableWrites} reads. */
export const TABLE_WRITES = `json_build_object(
  'key', COALESCE((SELECT to_json(k.conkey) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p'), '[]'),
  'defaults', to_json(ARRAY(SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = c.oid AND a.atthasdef AND NOT a.attisdropped)),
  'generated', COALESCE((SELECT json_agg(json_build_object('column', d.adnum, 'from', ARRAY(SELECT p.refobjsubid FROM pg_depend p
      WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refobjid = c.oid AND p.refobjsubid <> d.adnum)))
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = c.oid AND a.attgenerated <> ''), '[]'),
  'indexes', COALESCE((SELECT json_agg(json_build_object('name', i.relname, 'columns', x.indkey::int2[]))
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND NOT x.indisprimary), '[]'),
  'cascades', COALESCE((SELECT json_agg(json_build_object('oid', k.conrelid::int8, 'isInterleaved', k.conname ~ '^${INTERLEAVE_PREFIX}'))
    FROM pg_constraint k WHERE k.confrelid = c.oid AND k.contype = 'f' AND k.confdeltype = 'c'), '[]'))::text`

const NOTHING: TableWrites = { key: [], defaults: [], generated: [], indexes: [], cascades: [] }

/** Reads {@link TABLE_WRITES}; an empty text is a relation that nothing is written to. */
export function readTableWrites(json: string): TableWrites {
  return json === '' ? NOTHING : (JSON.parse(json) as TableWrites)
}
