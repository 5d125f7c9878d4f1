import { type RawBody, type RawNode, stringOf } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

/** A function call in a statement's text. Offsets are bytes. */
export interface CallSite {
  /** The function's own name: lower case unless it was quoted. */
  readonly name: string
  readonly start: number
  readonly end: number
  /** Where the parenthesis behind its name stands. */
  readonly open: number
  readonly args: readonly { readonly text: string; readonly startByte: number }[]
  /** It is an item of FROM. */
  readonly isFromItem: boolean
  /** The item of FROM has a name of its own, or none can be put behind the call. */
  readonly hasAlias: boolean
}

export interface CallSites {
  /** Calls that are evaluated once at most, in the order of the text. */
  readonly once: readonly CallSite[]
  /** Functions that are called where that may be for several rows, or nobody knows. */
  readonly others: ReadonlySet<string>
}

/**
 * The calls of functions of pg_catalog that `isWanted`, by how often they can be evaluated: once where their arguments have no names and no level of the query around them has
 * rows, that is in SELECT without FROM, in VALUES, as the only item of FROM, and in subqueries and WITH of that kind. Set-returning functions in a
 * select list make rows all the same: that is for the caller to know.
 */
export function findCallSites(
  text: string,
  node: RawNode,
  isWanted: (name: string) => boolean,
): CallSites {
  if (!('SelectStmt' in node)) return { once: [], others: new Set() }
  const search = new Search(text, isWanted)
  search.query(node.SelectStmt)
  return { once: inOrder(search.once), others: search.others }
}

/** All calls of functions of pg_catalog that `isWanted`, wherever they stand, in the order of the text. */
export function findCalls(
  text: string,
  node: RawNode,
  isWanted: (name: string) => boolean,
): readonly CallSite[] {
  const source = new StatementTokens(text)
  const found: CallSite[] = []
  const take = (call: RawBody<'FuncCall'>, item?: RawBody<'RangeFunction'>): void => {
    const site = isWanted(nameOf(call) ?? '') ? siteOf(source, call, item) : undefined
    if (site !== undefined) found.push(site)
    look(call)
  }
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [name, child] of Object.entries(value)) {
      if (name === 'FuncCall') take(child as RawBody<'FuncCall'>)
      else if (name !== 'RangeFunction') look(child)
      else takeItem(child as RawBody<'RangeFunction'>)
    }
  }
  const takeItem = (item: RawBody<'RangeFunction'>): void => {
    for (const list of item.functions ?? []) {
      const expr = 'List' in list ? list.List.items?.[0] : undefined
      if (expr !== undefined && 'FuncCall' in expr) take(expr.FuncCall, item)
      else look(list)
    }
  }
  look(node)
  return inOrder(found)
}

function inOrder(sites: readonly CallSite[]): readonly CallSite[] {
  return [...sites].sort((a, b) => a.start - b.start)
}

/** Statements with each of the calls at `sites` replaced; `replacement` is asked for outer calls first, and may render arguments by `argument`. */
export function replaceSites(
  text: string,
  sites: readonly CallSite[],
  replacement: (site: CallSite, argument: (index: number) => string) => string,
): string {
  const bytes = Buffer.from(text)
  const render = (start: number, end: number): string => {
    let result = ''
    let done = start
    for (const site of sites) {
      if (site.start < done || site.end > end) continue
      result += bytes.toString('utf8', done, site.start)
      result += replacement(site, (index) => {
        const arg = site.args[index]
        if (arg === undefined) return 'NULL'
        return render(arg.startByte, arg.startByte + Buffer.byteLength(arg.text))
      })
      done = site.end
    }
    return result + bytes.toString('utf8', done, end)
  }
  return render(0, bytes.length)
}

/**
 * An expression for the place of a call, under the function's name: a scalar subquery lends its column's name to the select list, and items of FROM
 * are written as functions.
 */
export function inPlaceOfCall({ name, isFromItem, hasAlias }: CallSite, sql: string): string {
  if (!isFromItem) return `(SELECT ${sql} AS "${name}")`
  return `COALESCE(${sql})${hasAlias ? '' : ` AS "${name}"`}`
}

/** The statement with functions of the same names in another schema called at `sites`. */
export function callInSchema(text: string, sites: readonly CallSite[], schema: string): string {
  const bytes = Buffer.from(text)
  let result = ''
  let done = 0
  for (const { name, start, open } of sites) {
    result += `${bytes.toString('utf8', done, start)}${schema}."${name}"`
    done = open
  }
  return result + bytes.toString('utf8', done)
}

type Place = 'once' | 'elsewhere'

/** One walk through a statement. */
class Search {
  readonly once: CallSite[] = []
  readonly others = new Set<string>()
  readonly #source: StatementTokens
  readonly #isWanted: (name: string) => boolean

  constructor(text: string, isWanted: (name: string) => boolean) {
    this.#source = new StatementTokens(text)
    this.#isWanted = isWanted
  }

  query(select: RawBody<'SelectStmt'>): void {
    const { withClause, larg, rarg, fromClause = [], limitCount, limitOffset, ...rest } = select
    for (const cte of withClause?.ctes ?? []) {
      if (!('CommonTableExpr' in cte)) continue
      this.#queryIn(cte.CommonTableExpr.ctequery, withClause?.recursive === true)
    }
    if (larg !== undefined) this.query(larg)
    if (rarg !== undefined) this.query(rarg)
    const [item, another] = fromClause
    if (item !== undefined && another === undefined) this.#onlyItem(item)
    else this.#look(fromClause, 'elsewhere')
    this.#look(rest, item === undefined ? 'once' : 'elsewhere')
    this.#look([limitCount, limitOffset], 'once')
  }

  #queryIn(node: RawNode | undefined, isRepeated: boolean): void {
    if (node === undefined) return
    if (!isRepeated && 'SelectStmt' in node) this.query(node.SelectStmt)
    else this.#look(node, 'elsewhere')
  }

  #onlyItem(item: RawNode): void {
    if ('RangeSubselect' in item) {
      this.#queryIn(item.RangeSubselect.subquery, false)
      return
    }
    const call = 'RangeFunction' in item ? callOfItem(item.RangeFunction) : undefined
    if (call === undefined || !('RangeFunction' in item)) this.#look(item, 'elsewhere')
    else if (!this.#take(call, item.RangeFunction)) this.#look(item, 'once')
  }

  #look(value: unknown, place: Place): void {
    if (typeof value !== 'object' || value === null) return
    for (const [name, child] of Object.entries(value)) {
      if (name === 'SubLink') this.#subquery(child as RawBody<'SubLink'>, place)
      else if (name === 'FuncCall') this.#call(child as RawBody<'FuncCall'>, place)
      else this.#look(child, place)
    }
  }

  #subquery(link: RawBody<'SubLink'>, place: Place): void {
    this.#look(link.testexpr, place)
    // The select list of EXISTS is not evaluated.
    const isOnce = place === 'once' && link.subLinkType !== 'EXISTS_SUBLINK'
    this.#queryIn(link.subselect, !isOnce)
  }

  #call(call: RawBody<'FuncCall'>, place: Place): void {
    if (place === 'elsewhere') {
      const name = nameOf(call) ?? ''
      if (this.#isWanted(name)) this.others.add(name)
      this.#look(call, place)
    } else if (!this.#take(call)) {
      this.#look(call, place)
    }
  }

  /** Notes a call that is wanted, and those in its arguments. */
  #take(call: RawBody<'FuncCall'>, item?: RawBody<'RangeFunction'>): boolean {
    const name = nameOf(call) ?? ''
    if (!this.#isWanted(name)) return false
    const site = hasNamedArguments(call) ? undefined : siteOf(this.#source, call, item)
    if (site === undefined) this.others.add(name)
    else this.once.push(site)
    this.#look(call.args, 'once')
    return true
  }
}

/** `f(a => 1)`: nobody here knows the parameters' order. */
export function hasNamedArguments({ args = [] }: RawBody<'FuncCall'>): boolean {
  return args.some((arg) => 'NamedArgExpr' in arg)
}

/** `item`: the item of FROM that it is. */
function siteOf(
  source: StatementTokens,
  call: RawBody<'FuncCall'>,
  item: RawBody<'RangeFunction'> | undefined,
): CallSite | undefined {
  const first = source.indexAt(call.location ?? 0)
  const open = source.find('(', first)
  const close = source.closing(open)
  const start = source.tokens[first]?.start
  const end = source.tokens[close]?.end
  if (open < 0 || close < 0 || start === undefined || end === undefined) return undefined
  const isPlain = item?.alias === undefined && item?.ordinality !== true
  return {
    name: nameOf(call) ?? '',
    start,
    end,
    open: source.tokens[open]?.start ?? start,
    args: source.itemsIn(open),
    isFromItem: item !== undefined,
    hasAlias: !isPlain || item?.is_rowsfrom === true,
  }
}

/** The function of `FROM f(..)`; undefined for ROWS FROM, WITH ORDINALITY and column definitions. */
function callOfItem(item: RawBody<'RangeFunction'>): RawBody<'FuncCall'> | undefined {
  const [list, another] = item.functions ?? []
  const isPlain = another === undefined && item.ordinality !== true && item.is_rowsfrom !== true
  const call = isPlain && list !== undefined && 'List' in list ? list.List.items?.[0] : undefined
  return call !== undefined && 'FuncCall' in call ? call.FuncCall : undefined
}

/** `f` of `f(..)` and `pg_catalog.f(..)`; undefined for other schemas and what is written without a call. */
function nameOf(call: RawBody<'FuncCall'>): string | undefined {
  const parts = (call.funcname ?? []).map((part) => stringOf(part))
  const isBuiltIn = parts.length === 1 || (parts.length === 2 && parts[0] === 'pg_catalog')
  return isBuiltIn && call.funcformat !== 'COERCE_SQL_SYNTAX' ? parts.at(-1) : undefined
}
