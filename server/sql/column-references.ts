import type { RawBody, RawNode } from './raw-node.ts'

/** What a query's references to columns ask of the items of its FROM. */
export interface ColumnReferences {
  /** Those of the system columns (manual, section 5.5) that are named, in lower case. */
  readonly systemColumns: readonly string[]
  /** `*` or `t.*` as an entry of a select list. */
  readonly hasStar: boolean
  /** `schema.table.column`. */
  readonly hasSchema: boolean
}

const SYSTEM_COLUMNS = ['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid']

/** Looks through all of a statement. */
export function columnReferences(node: RawNode): ColumnReferences {
  const names = new Set<string>()
  const found = { hasStar: false, hasSchema: false }
  look(node, (fields) => {
    const [last] = fields.slice(-1)
    if (last !== undefined && 'A_Star' in last) found.hasStar = true
    else if (last !== undefined && 'String' in last) names.add(last.String.sval ?? '')
    if (fields.length > 2) found.hasSchema = true
  })
  return { ...found, systemColumns: SYSTEM_COLUMNS.filter((name) => names.has(name)) }
}

function look(value: unknown, visit: (fields: readonly RawNode[]) => void): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, child] of Object.entries(value)) {
    if (name === 'ColumnRef') visit((child as RawBody<'ColumnRef'>).fields ?? [])
    else look(child, visit)
  }
}
