import type { ServiceRow } from '../companion/companion-types.ts'
import { quoteText } from './ddl-cursor.ts'
import { GENERATED_NAME, INTERLEAVE_PREFIX, MANAGED_INDEX } from './ddl-names.ts'
import type { Profile } from './profile.ts'

/*
 * GetDatabaseDdl: the statements that would make the schema, printed from PostgreSQL's catalog and the few things that are kept beside it. The
 * layout is Spanner's.
 */

type Query = (text: string) => Promise<readonly ServiceRow[]>

const VISIBLE = `n.nspname !~ '^(pg_|_spanner|spanner$|information_schema$)'`
const SHOWN = `CASE WHEN n.nspname = 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END || quote_ident(c.relname)`

const SCHEMAS = `SELECT quote_ident(nspname) AS name FROM pg_namespace n WHERE ${VISIBLE} AND nspname <> 'public' ORDER BY oid`

const SEQUENCES = `SELECT ${SHOWN} AS name, s.start_with::text AS start, s.skip_min::text AS min, s.skip_max::text AS max, s.has_kind::text AS kind
  FROM _spanner_meta.sequences s JOIN pg_class c ON c.oid = s.relid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT s.is_identity ORDER BY c.oid`

const TABLES = `SELECT c.oid::text AS oid, ${SHOWN} AS name, m.interleave, m.on_delete, m.ttl,
    (SELECT CASE WHEN pn.nspname = 'public' THEN '' ELSE quote_ident(pn.nspname) || '.' END || quote_ident(p.relname)
      FROM pg_class p JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE p.oid = m.parent) AS parent
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN _spanner_meta.tables m ON m.relid = c.oid
  WHERE c.relkind = 'r' AND ${VISIBLE} ORDER BY c.oid`

const COLUMNS = `SELECT a.attrelid::text AS oid, quote_ident(a.attname) AS name,
    replace(format_type(a.atttypid, a.atttypmod), 'text', 'character varying') AS type, a.attnotnull::text AS required, a.attgenerated::text AS generated,
    _spanner.default_text(a.attrelid, a.attnum, pg_get_expr(d.adbin, d.adrelid)) AS value, col_description(a.attrelid, a.attnum) AS hidden, s.start_with::text AS start, s.skip_min::text AS min, s.skip_max::text AS max, s.has_kind::text AS kind
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN (SELECT p.refobjid, p.refobjsubid, q.* FROM pg_depend p JOIN _spanner_meta.sequences q ON q.relid = p.objid AND q.is_identity
    WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass AND p.deptype = 'a') s ON s.refobjid = a.attrelid AND s.refobjsubid = a.attnum
  WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND ${VISIBLE} ORDER BY a.attrelid, a.attnum`

const CONSTRAINTS = `SELECT k.conrelid::text AS oid, k.contype::text AS kind, k.confdeltype::text AS deletion, _spanner.expression_text(pg_get_expr(k.conbin, k.conrelid), k.conrelid) AS expression,
    CASE WHEN k.conname ~ '${GENERATED_NAME}' THEN NULL ELSE quote_ident(k.conname) END AS name,
    (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.pos) FROM unnest(k.conkey) WITH ORDINALITY u(num, pos)
      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num) AS columns,
    (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.pos) FROM unnest(k.confkey) WITH ORDINALITY u(num, pos)
      JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num) AS referenced,
    (SELECT CASE WHEN fn.nspname = 'public' THEN '' ELSE quote_ident(fn.nspname) || '.' END || quote_ident(f.relname)
      FROM pg_class f JOIN pg_namespace fn ON fn.oid = f.relnamespace WHERE f.oid = k.confrelid) AS parent
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE k.contype IN ('p', 'f', 'c') AND k.conname !~ '^${INTERLEAVE_PREFIX}' AND ${VISIBLE} ORDER BY k.conrelid, k.oid`

const INDEXES = `SELECT _spanner.index_definition(x.indexrelid) AS definition FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
  JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE NOT x.indisprimary AND i.relam <> (SELECT oid FROM pg_am WHERE amname = 'gin') AND i.relname !~ '${MANAGED_INDEX}' AND ${VISIBLE} ORDER BY i.oid`

const SEARCH_INDEXES = `SELECT quote_ident(i.relname) AS name, ${SHOWN} AS tab, obj_description(i.oid, 'pg_class') AS tail,
    (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.pos) FROM unnest(x.indkey::int2[]) WITH ORDINALITY k(num, pos)
      JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.num) AS columns
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam AND m.amname = 'gin'
  JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${VISIBLE} ORDER BY i.oid`

const CHANGE_STREAMS = `SELECT quote_ident(s.name) AS name, CASE WHEN s.tracks_all THEN 'ALL' ELSE (SELECT string_agg(${SHOWN} ||
      CASE WHEN t.columns IS NULL THEN '' ELSE '(' || array_to_string(ARRAY(SELECT quote_ident(u) FROM unnest(t.columns) u), ', ') || ')' END, ', ' ORDER BY c.oid)
      FROM _spanner_meta.change_stream_tables t JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.stream = s.name) END AS scope,
    (SELECT string_agg(o.name || ' = ' || quote_literal(o.value), ', ' ORDER BY o.name DESC) FROM _spanner_meta.change_stream_options o WHERE o.stream = s.name) AS options
  FROM _spanner_meta.change_streams s ORDER BY s.name`

const VIEWS = `SELECT ${SHOWN} AS name, _spanner.view_text(c.oid) AS query FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'v' AND ${VISIBLE} ORDER BY c.oid`

const OPTIONS = 'SELECT name, value FROM _spanner_meta.options ORDER BY name'

/** The statements of GetDatabaseDdl, without semicolons. */
export async function printDdl(
  query: Query,
  databaseId: string,
  profile: Profile,
): Promise<string[]> {
  const columns = groupByTable(await query(COLUMNS))
  const constraints = groupByTable(await query(CONSTRAINTS))
  const printed = (rows: readonly ServiceRow[], print: (row: ServiceRow) => string) =>
    rows.map(print)
  return [
    ...printed(await query(SCHEMAS), (row) => `CREATE SCHEMA ${row['name']}`),
    ...printed(
      await query(SEQUENCES),
      (row) => `CREATE SEQUENCE ${row['name']}${sequenceOptions(row)}`,
    ),
    ...printed(await query(TABLES), (row) => {
      const oid = row['oid'] ?? ''
      return printTable(row, columns.get(oid) ?? [], constraints.get(oid) ?? [])
    }),
    ...printed(await query(INDEXES), (row) => printIndex(row['definition'] ?? '', profile)),
    ...printed(await query(SEARCH_INDEXES), printSearchIndex),
    ...printed(
      await query(VIEWS),
      (row) => `CREATE VIEW ${row['name']} SQL SECURITY INVOKER AS ${row['query']}`,
    ),
    ...printed(await query(CHANGE_STREAMS), printChangeStream),
    ...printed(
      await query(OPTIONS),
      (row) =>
        `ALTER DATABASE "${databaseId}" SET "spanner.${row['name']}" = ${quoteText(row['value'] ?? '')}`,
    ),
  ]
}

function printSearchIndex({ name, tab, columns, tail }: ServiceRow): string {
  return `CREATE SEARCH INDEX ${name} ON ${tab} (${columns})${tail ? ` ${tail}` : ''}`
}

function printChangeStream({ name, scope, options }: ServiceRow): string {
  const lines = [`CREATE CHANGE STREAM ${name}`]
  if (scope) lines.push(`FOR ${scope}`)
  if (options) lines.push(`WITH (${options})`)
  return lines.join('\n')
}

function groupByTable(rows: readonly ServiceRow[]): Map<string, ServiceRow[]> {
  const groups = new Map<string, ServiceRow[]>()
  for (const row of rows) {
    const oid = row['oid'] ?? ''
    const group = groups.get(oid)
    if (group === undefined) groups.set(oid, [row])
    else group.push(row)
  }
  return groups
}

function sequenceOptions(row: ServiceRow): string {
  const kind = row['kind'] === 'true' ? ' BIT_REVERSED_POSITIVE' : ''
  return `${kind} START COUNTER WITH ${row['start']}${skipRange(row)}`
}

function skipRange(row: ServiceRow): string {
  return row['min'] === null || row['min'] === undefined
    ? ''
    : ` SKIP RANGE ${row['min']} ${row['max']}`
}

function printTable(
  table: ServiceRow,
  columns: readonly ServiceRow[],
  constraints: readonly ServiceRow[],
): string {
  const key = constraints.find((constraint) => constraint['kind'] === 'p')
  const lines = [
    ...columns.map(printColumn),
    ...(key === undefined ? [] : [`PRIMARY KEY(${key['columns']})`]),
    ...constraints.filter((constraint) => constraint['kind'] === 'f').map(printForeignKey),
    ...constraints.filter((constraint) => constraint['kind'] === 'c').map(printCheck),
  ]
  return `CREATE TABLE ${table['name']} (\n  ${lines.join(',\n  ')}\n)${printTrailing(table)}`
}

function printTrailing(table: ServiceRow): string {
  let text = ''
  if (table['interleave'] === 'IN PARENT')
    text += ` INTERLEAVE IN PARENT ${table['parent']} ON DELETE ${table['on_delete']}`
  else if (table['interleave'] === 'IN') text += ` INTERLEAVE IN ${table['parent']}`
  if (table['ttl'] !== null && table['ttl'] !== undefined) text += ` TTL ${table['ttl']}`
  return text
}

function printColumn(column: ServiceRow): string {
  const parts = [column['name'], column['type']]
  const { value } = column
  if (column['start'] !== null && column['start'] !== undefined) parts.push(printIdentity(column))
  else if (column['generated'] === 's') parts.push(`GENERATED ALWAYS AS (${value}) STORED`)
  else if (value !== null && value !== undefined) parts.push(`DEFAULT ${value}`)
  if (column['required'] === 'true') parts.push('NOT NULL')
  if (column['hidden']) parts.push('HIDDEN')
  return parts.join(' ')
}

function printIdentity(column: ServiceRow): string {
  const options: string[] = []
  if (column['kind'] === 'true') options.push('BIT_REVERSED_POSITIVE')
  const skip = skipRange(column).trim()
  if (skip !== '') options.push(skip)
  if (column['start'] !== '1') options.push(`START COUNTER WITH ${column['start']}`)
  return `GENERATED BY DEFAULT AS IDENTITY${options.length === 0 ? '' : ` (${options.join(' ')})`}`
}

function named(constraint: ServiceRow): string {
  return constraint['name'] === null || constraint['name'] === undefined
    ? ''
    : `CONSTRAINT ${constraint['name']} `
}

function printForeignKey(constraint: ServiceRow): string {
  const onDelete = constraint['deletion'] === 'c' ? ' ON DELETE CASCADE' : ''
  return `${named(constraint)}FOREIGN KEY (${constraint['columns']}) REFERENCES ${constraint['parent']}(${constraint['referenced']})${onDelete}`
}

function printCheck(constraint: ServiceRow): string {
  return `${named(constraint)}CHECK(${constraint['expression']})`
}

/**
 * PostgreSQL's text without what Spanner does not print: the schema `public`, the access method, parentheses around the filter. The emulator
 * prints no filter at all.
 */
function printIndex(definition: string, profile: Profile): string {
  return definition
    .replace(/ ON public\./, ' ON ')
    .replace(' USING btree ', ' ')
    .replace(/ WHERE \((.*)\)$/s, (_, filter: string) =>
      profile === 'production' ? ` WHERE ${filter.replace(/\(([^()]* IS NOT NULL)\)/g, '$1')}` : '',
    )
}
