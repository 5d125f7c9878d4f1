import type { CommonTableExpr, Query, RangeTableEntry } from '../sql/query-tree.ts'
import { freeVars } from './substitute.ts'
import type { Level } from './table-reads.ts'

type CteEntry = Extract<RangeTableEntry, { readonly kind: 'cte' }>

/**
 * A query as a statement of its own, with the common table expressions of the queries around that it names; undefined where it names columns
 * of theirs, or more of them than can go along.
 */
export function standalone(query: Query, around: Level | undefined): Query | undefined {
  if (namesColumnsAround(query)) return undefined
  const [distance, ...others] = new Set(outerEntries(query, 1).map((found) => found.distance))
  if (distance === undefined) return query
  const home = others.length === 0 ? levelsAround(around)[distance - 1] : undefined
  if (home === undefined || query.ctes.length > 0) return undefined
  const ctes = named(home.query, query, distance)
  if (ctes === undefined) return undefined
  const relids = [query, ...ctes.map((cte) => cte.query)].flatMap((inner) => inner.relids)
  return { ...(moved(query, distance, 1) as Query), ctes, relids: [...new Set(relids)] }
}

function levelsAround(level: Level | undefined): readonly Level[] {
  return level === undefined ? [] : [level, ...levelsAround(level.parent)]
}

function namesColumnsAround(query: Query): boolean {
  const link = { kind: 'SubLink', linkType: 'expr', query, id: 0, location: -1 } as const
  return freeVars({ ...link, test: undefined, operatorNames: [] }).length > 0
}

/** The common table expressions of `home` that a query names, so many levels below it, and those that they name; in their order. */
function named(
  home: Query,
  query: Query,
  distance: number,
): readonly CommonTableExpr[] | undefined {
  const wanted = new Set<string>()
  const want = (inner: Query, levels: number): boolean =>
    outerEntries(inner, 1).every((found) => {
      if (found.distance !== levels) return false
      if (wanted.has(found.entry.name)) return true
      wanted.add(found.entry.name)
      const cte = home.ctes.find(({ name }) => name === found.entry.name)
      return cte !== undefined && !namesColumnsAround(cte.query) && want(cte.query, 1)
    })
  return want(query, distance) ? home.ctes.filter(({ name }) => wanted.has(name)) : undefined
}

/** References to what stands around a query; `distance` is 1 for the next query around it. */
function outerEntries(
  value: unknown,
  depth: number,
): readonly { readonly entry: CteEntry; readonly distance: number }[] {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return []
  if (isCteEntry(value)) {
    const distance = value.levelsUp - depth + 1
    return distance > 0 ? [{ entry: value, distance }] : []
  }
  return Object.values(value).flatMap((field) =>
    outerEntries(field, isQuery(field) ? depth + 1 : depth),
  )
}

/** The same with the common table expressions around it as its own. */
function moved(value: unknown, distance: number, depth: number): unknown {
  if (Array.isArray(value)) return value.map((item) => movedField(item, distance, depth))
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  if (isCteEntry(value)) {
    const isOuter = value.levelsUp >= depth
    return isOuter ? { ...value, levelsUp: value.levelsUp - distance } : value
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, movedField(field, distance, depth)]),
  )
}

function movedField(field: unknown, distance: number, depth: number): unknown {
  return moved(field, distance, isQuery(field) ? depth + 1 : depth)
}

function isCteEntry(value: object): value is CteEntry {
  return 'kind' in value && value.kind === 'cte'
}

function isQuery(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Query'
}
