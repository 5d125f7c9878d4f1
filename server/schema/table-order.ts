import type { PhysicalTable } from './physical-schema.ts'

/** Each table after those that must come first, as far as there is such an order. */
function order(
  tables: readonly PhysicalTable[],
  firstOf: (table: PhysicalTable) => readonly string[],
): PhysicalTable[] {
  const byName = new Map(tables.map((table) => [table.name, table]))
  const ordered = new Set<PhysicalTable>()
  const visiting = new Set<PhysicalTable>()
  const visit = (table: PhysicalTable): void => {
    if (ordered.has(table) || visiting.has(table)) return
    visiting.add(table)
    for (const name of firstOf(table)) {
      const first = byName.get(name)
      if (first !== undefined) visit(first)
    }
    ordered.add(table)
  }
  for (const table of tables) visit(table)
  return [...ordered]
}

/** Referenced tables first. */
export function orderByReference(tables: readonly PhysicalTable[]): PhysicalTable[] {
  return order(tables, (table) => table.foreignKeys.map((key) => key.referencedTable))
}

/** Tables that are interleaved in another before that one. */
export function childrenFirst(tables: readonly PhysicalTable[]): PhysicalTable[] {
  return order(tables, ({ name }) =>
    tables.filter(({ parent }) => parent?.table === name).map((child) => child.name),
  )
}
