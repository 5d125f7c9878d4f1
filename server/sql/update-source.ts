import { isSameTree, parseAlone, wordAt } from './edit-statement.ts'
import { type RawBody, type RawNode, rawNodeName } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

/** A column that UPDATE sets; without an expression to its default. */
export interface SetColumn {
  readonly name: string
  readonly expr: string | undefined
}

/** An UPDATE or DELETE, taken apart around what finds its rows. */
export interface UpdatePieces {
  /** WITH, with what is in it; empty without. */
  readonly prefix: string
  readonly schema: string | undefined
  readonly name: string
  /** What the statement calls the table. */
  readonly alias: string
  /** The table as the statement names it: `ONLY t AS a` */
  readonly target: string
  /** None for DELETE. */
  readonly set: readonly SetColumn[]
  /** FROM or USING, without the word; empty without. */
  readonly others: string
  /** WHERE, without the word; empty without. */
  readonly where: string
  /** RETURNING, with the word; empty without. */
  readonly returning: string
}

/*
 * WITH w AS (SELECT 1 AS x) UPDATE t AS a SET n = md5(a.g), m = DEFAULT FROM w WHERE a.id = w.x RETURNING a.n
 *
 * prefix:  WITH w AS (SELECT 1 AS x)      target: t AS a      others: w      where: a.id = w.x      returning: RETURNING a.n
 */

/** The pieces of an UPDATE or DELETE; undefined where it sets parts of columns, or several from one subquery. */
export function updatePieces(text: string, node: RawNode): UpdatePieces | undefined {
  const statement = statementOf(node)
  if (statement?.relation?.relname === undefined) return undefined
  const { relation, withClause, values, others, where } = statement
  const source = new StatementTokens(text)
  const first = source.find(statement.verb, withClause === undefined ? 0 : 1)
  if (first < 0) return undefined
  const clauses = clausesOf(source, statement, first)
  const set = setColumns(source, clauses)
  if (set === undefined) return undefined
  const returning = textOf(source, clauses, 'returning')
  const pieces = {
    prefix: withClause === undefined ? '' : source.slice(0, source.tokens[first]?.start ?? 0),
    schema: relation.schemaname,
    name: relation.relname ?? '',
    alias: relation.alias?.aliasname ?? relation.relname ?? '',
    target: textOf(source, clauses, 'table'),
    set,
    others: textOf(source, clauses, 'others'),
    where: textOf(source, clauses, 'where'),
    returning: returning === '' ? '' : `RETURNING ${returning}`,
  }
  return isMeant(pieces, { values, others, where }) ? pieces : undefined
}

interface RawWrite {
  readonly relation: RawBody<'UpdateStmt'>['relation'] | undefined
  readonly withClause: RawBody<'UpdateStmt'>['withClause'] | undefined
  readonly verb: 'update' | 'delete'
  readonly values: readonly (RawNode | undefined)[]
  readonly others: readonly RawNode[]
  readonly where: RawNode | undefined
}

function statementOf(node: RawNode): RawWrite | undefined {
  if ('UpdateStmt' in node) {
    const { relation, withClause, targetList = [], fromClause = [], whereClause } = node.UpdateStmt
    const values = targetList.map((item) => ('ResTarget' in item ? item.ResTarget.val : undefined))
    return { verb: 'update', relation, withClause, values, others: fromClause, where: whereClause }
  }
  if (!('DeleteStmt' in node)) return undefined
  const { relation, withClause, usingClause = [], whereClause } = node.DeleteStmt
  return {
    verb: 'delete',
    relation,
    withClause,
    values: [],
    others: usingClause,
    where: whereClause,
  }
}

/** A part of the statement: the tokens behind its word, up to the next. */
interface Clause {
  readonly name: 'table' | 'set' | 'others' | 'where' | 'returning'
  readonly from: number
  readonly until: number
}

function clausesOf(
  source: StatementTokens,
  { verb, others, where }: RawWrite,
  first: number,
): readonly Clause[] {
  const isUpdate = verb === 'update'
  const words: readonly (readonly [Clause['name'], string])[] = [
    ...(isUpdate ? [['set', 'set'] as const] : []),
    ...(others.length === 0 ? [] : [['others', isUpdate ? 'from' : 'using'] as const]),
    ...(where === undefined ? [] : [['where', 'where'] as const]),
    ['returning', 'returning'],
  ]
  const begun: { name: Clause['name']; at: number }[] = [
    { name: 'table', at: isUpdate ? first : first + 1 },
  ]
  for (const [name, word] of words) {
    const at = findClause(source, word, (begun.at(-1)?.at ?? first) + 1)
    if (at !== undefined) begun.push({ name, at })
  }
  return begun.map(({ name, at }, i) => ({
    name,
    from: at + 1,
    until: begun[i + 1]?.at ?? source.tokens.length,
  }))
}

/** Empty where there is no such clause. */
function textOf(source: StatementTokens, clauses: readonly Clause[], name: Clause['name']): string {
  const clause = clauses.find((candidate) => candidate.name === name)
  if (clause === undefined) return ''
  const { tokens } = source
  return source.slice(tokens[clause.from]?.start ?? 0, tokens[clause.until - 1]?.end ?? 0)
}

/** The token that begins a clause; undefined where none does. */
function findClause(source: StatementTokens, word: string, from: number): number | undefined {
  for (let at = source.find(word, from); at >= 0; at = source.find(word, at + 1)) {
    const before = wordAt(source, at - 1)
    if (before !== '.' && before !== 'as' && before !== 'distinct') return at
  }
  return undefined
}

function setColumns(
  source: StatementTokens,
  clauses: readonly Clause[],
): readonly SetColumn[] | undefined {
  const clause = clauses.find(({ name }) => name === 'set')
  if (clause === undefined) return []
  const { until } = clause
  const columns: SetColumn[] = []
  for (let at = clause.from; at < until; ) {
    const comma = source.find(',', at)
    const last = comma < 0 || comma > until ? until : comma
    const some = setItem(source, at, last)
    if (some === undefined) return undefined
    columns.push(...some)
    at = last + 1
  }
  return columns
}

/** `a = expr` or `(a, b) = (expr, expr)`. */
function setItem(
  source: StatementTokens,
  from: number,
  until: number,
): readonly SetColumn[] | undefined {
  const text = (index: number) => source.tokens[index]?.text ?? ''
  if (text(from) !== '(') {
    if (text(from + 1) !== '=') return undefined
    const expr = source.slice(
      source.tokens[from + 2]?.start ?? 0,
      source.tokens[until - 1]?.end ?? 0,
    )
    return [column(text(from), expr)]
  }
  const close = source.closing(from)
  const open = wordAt(source, close + 2) === 'row' ? close + 3 : close + 2
  if (text(close + 1) !== '=' || text(open) !== '(' || source.closing(open) !== until - 1)
    return undefined
  const names = source.listIn(from)
  const exprs = source.listIn(open)
  if (names.length !== exprs.length) return undefined
  return names.map((name, i) => column(name, exprs[i] ?? ''))
}

function column(name: string, expr: string): SetColumn {
  return { name, expr: expr.toLowerCase() === 'default' ? undefined : expr }
}

interface MeantParts {
  readonly values: readonly (RawNode | undefined)[]
  readonly others: readonly RawNode[]
  readonly where: RawNode | undefined
}

/** Whether the pieces, parsed by themselves, are the statement's own. */
function isMeant(pieces: UpdatePieces, { values, others, where }: MeantParts): boolean {
  if (pieces.set.length !== values.length) return false
  const list = pieces.set.map(({ expr }) => expr ?? 'NULL')
  const [only, another] = parseAlone(
    `SELECT ${['1', ...list].join(', ')} FROM ${fromOf(pieces)}${whereOf(pieces)}`,
  )
  if (only === undefined || another !== undefined || !('SelectStmt' in only)) return false
  const { targetList = [], fromClause = [], whereClause } = only.SelectStmt
  const isSet = values.every((value, i) => {
    const target = targetList[i + 1]
    const parsed = target !== undefined && 'ResTarget' in target ? target.ResTarget.val : undefined
    return isSameValue(value, parsed)
  })
  return isSet && isSameTree(fromClause.slice(1), others) && isSameTree(whereClause, where)
}

function isSameValue(value: RawNode | undefined, parsed: RawNode | undefined): boolean {
  if (value === undefined) return false
  if (rawNodeName(value) === 'SetToDefault') return true
  if (!('MultiAssignRef' in value)) return isSameTree(value, parsed)
  const { source, colno = 0 } = value.MultiAssignRef
  if (source === undefined || !('RowExpr' in source)) return false
  const arg = source.RowExpr.args?.[colno - 1]
  return arg !== undefined && (rawNodeName(arg) === 'SetToDefault' || isSameTree(arg, parsed))
}

/** The items of FROM of a query that finds the rows. */
export function fromOf({ target, others }: UpdatePieces): string {
  return others === '' ? target : `${target}, ${others}`
}

/** Its WHERE, with a space before it; empty without. */
export function whereOf({ where }: UpdatePieces): string {
  return where === '' ? '' : ` WHERE ${where}`
}
