import { findOperatorName } from '../sql/builtin-catalog.ts'
import type { Expr, FromNode, JoinType, Query } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import { isSameExpr } from './expression-tree.ts'
import { freeVars, replaceVars } from './substitute.ts'

type Var = Extract<Expr, { readonly kind: 'Var' }>

/**
 * For each item of FROM, by its index in the range table, what is true of every row of it that has a part in the result: conditions
 * that name columns of this item alone, and other conditions of the level have been made into such by equality. `inherited` are
 * conditions of the level beside its WHERE.
 */
export function itemConditions(
  query: Query,
  inherited: readonly Expr[],
): ReadonlyMap<number, readonly Expr[]> {
  const facts = levelFacts(query, inherited)
  return new Map([...facts].map(([rtindex, known]) => [rtindex, aboutItem(known, rtindex)]))
}

/**
 * For each item of FROM, by its index in the range table, conditions of which all are true of every joined row that a row of the item
 * must be part of to have a part in the result. They may be about columns of the query around (`levelsUp` is 1), too.
 */
export function levelFacts(
  query: Query,
  inherited: readonly Expr[],
): ReadonlyMap<number, readonly Expr[]> {
  const facts = new Map<number, readonly Expr[]>()
  const where = [query.where, ...inherited].flatMap((condition) => factsOf(query, condition))
  for (const item of query.from) spread({ query, facts }, item, where)
  return facts
}

/** The parts of a condition that must all be true, in terms of joined tables instead of joins. */
function factsOf(query: Query, condition: Expr | undefined): readonly Expr[] {
  return conjunctsOf(condition)
    .filter((part) => !isTrue(part) && !someNode(part, isUnclear))
    .map((part) => withoutJoins(query, part))
    .filter((part) => !someNode(part, isUnclear) && !freeVars(part).some(isOutOfReach))
}

/** Whether something holds for a node of an expression, its subqueries included. */
function someNode(value: unknown, test: (node: object) => boolean): boolean {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return false
  return test(value) || Object.values(value).some((field) => someNode(field, test))
}

/** Columns may hide in it, or it means something else in a statement of its own: a common table expression of a query around. */
function isUnclear(node: object): boolean {
  return 'kind' in node && (node.kind === 'Unsupported' || node.kind === 'cte')
}

/** The parts of a condition that must all be true. */
export function conjunctsOf(condition: Expr | undefined): readonly Expr[] {
  if (condition === undefined) return []
  if (condition.kind !== 'BoolExpr' || condition.op !== 'and') return [condition]
  return condition.args.flatMap(conjunctsOf)
}

/** `ON true`. */
function isTrue(part: Expr): boolean {
  return part.kind === 'Const' && part.type === OID.bool && !part.isNull && part.bytes[0] === 1
}

/** Columns may hide in it. */
export function isOpaque(part: Expr): boolean {
  return part.kind === 'SubLink' || part.kind === 'Unsupported'
}

/** A column of a query around the next, a system column, a whole row. */
function isOutOfReach({ levelsUp, attribute }: Var): boolean {
  return levelsUp > 1 || attribute < 1
}

/** With the columns of joined tables in the place of the join's own (USING, or a join with an alias). */
function withoutJoins(query: Query, expr: Expr): Expr {
  return replaceVars(expr, (variable) => {
    const entry = query.rangeTable[variable.rtindex - 1]
    if (variable.levelsUp > 0 || entry?.kind !== 'join') return variable
    const alias = entry.aliasVars[variable.attribute - 1]
    return alias === undefined ? variable : withoutJoins(query, alias)
  })
}

interface Level {
  readonly query: Query
  /** What is known for each item. */
  readonly facts: Map<number, readonly Expr[]>
}

function spread(level: Level, node: FromNode, outer: readonly Expr[]): void {
  switch (node.kind) {
    case 'RangeTableRef':
      level.facts.set(node.rtindex, outer)
      return
    case 'FromExpr': {
      const all = [...outer, ...factsOf(level.query, node.quals)]
      for (const item of node.from) spread(level, item, all)
      return
    }
    case 'JoinExpr': {
      const own = factsOf(level.query, node.quals)
      spread(level, node.left, factsOfSide(node, outer, own))
      const mirrored = { left: node.right, right: node.left, joinType: MIRRORED[node.joinType] }
      spread(level, node.right, factsOfSide(mirrored, outer, own))
    }
  }
}

const MIRRORED = { inner: 'inner', left: 'right', right: 'left', full: 'full' } as const

interface Sides {
  readonly left: FromNode
  readonly right: FromNode
  readonly joinType: JoinType
}

/**
 * What is known for the rows of the left side. Where that side may be missing (RIGHT JOIN), a row of it that fails a condition of
 * WHERE must not be left out: the other side's row would live on without it. It may be left out if it fails the join's own
 * condition, or if the rows that it would be joined with fail theirs.
 */
function factsOfSide(
  { left: _left, right, joinType }: Sides,
  outer: readonly Expr[],
  own: readonly Expr[],
): readonly Expr[] {
  switch (joinType) {
    case 'inner':
      return [...outer, ...own]
    case 'left':
      return outer
    case 'right': {
      const others = itemsOf(right)
      const isAboutOthers = (fact: Expr) => [...itemsIn(fact)].every((item) => others.has(item))
      return [...own, ...outer.filter((fact) => itemsIn(fact).size > 0 && isAboutOthers(fact))]
    }
    case 'full':
      return []
  }
}

/** The items of FROM in a part of it. */
export function itemsOf(node: FromNode): ReadonlySet<number> {
  switch (node.kind) {
    case 'RangeTableRef':
      return new Set([node.rtindex])
    case 'FromExpr':
      return new Set(node.from.flatMap((item) => [...itemsOf(item)]))
    case 'JoinExpr':
      return new Set([...itemsOf(node.left), ...itemsOf(node.right)])
  }
}

function itemsIn(expr: Expr): ReadonlySet<number> {
  const own = freeVars(expr).filter(({ levelsUp }) => levelsUp === 0)
  return new Set(own.map(({ rtindex }) => rtindex))
}

function isAboutLevel(fact: Expr): boolean {
  return freeVars(fact).every((variable) => variable.levelsUp === 0)
}

function aboutItem(known: readonly Expr[], rtindex: number): readonly Expr[] {
  const facts = known.filter(isAboutLevel)
  const about: Expr[] = []
  const add = (fact: Expr) => {
    if (!about.some((other) => isSameExpr(other, fact))) about.push(fact)
  }
  for (const fact of facts) {
    if ([...itemsIn(fact)].every((item) => item === rtindex)) add(fact)
  }
  const classes = equalColumns(facts)
  for (const fact of facts) {
    for (const moved of movedTo(fact, rtindex, classes)) add(moved)
  }
  return about
}

/*
 * a.id = b.a AND a.id < 10      so b.a < 10 as well
 */
function movedTo(
  fact: Expr,
  rtindex: number,
  classes: readonly (readonly Var[])[],
): readonly Expr[] {
  const [first, ...rest] = freeVars(fact)
  if (first === undefined || first.rtindex === rtindex) return []
  if (!rest.every((other) => isSameColumn(first, other))) return []
  const same = classes.find((members) => members.some((member) => isSameColumn(member, first)))
  return (same ?? [])
    .filter((member) => member.rtindex === rtindex)
    .map((member) => replaceVars(fact, () => member))
}

/** Types whose equal values are the same in every respect: numeric is not among them (1.0 = 1.00), nor are floats. */
const IDENTICAL_WHEN_EQUAL: ReadonlySet<number> = new Set([
  ...[OID.bool, OID.int2, OID.int4, OID.int8, OID.text, OID.varchar],
  ...[OID.uuid, OID.date, OID.timestamp, OID.timestamptz],
])

/** Columns that are equal in every row of the result, in classes. */
function equalColumns(facts: readonly Expr[]): readonly (readonly Var[])[] {
  let classes: (readonly Var[])[] = []
  for (const fact of facts) {
    const pair = equalPair(fact)
    if (pair === undefined) continue
    const touches = (members: readonly Var[]) =>
      members.some((member) => pair.some((column) => isSameColumn(member, column)))
    const merged = [...pair, ...classes.filter(touches).flat()]
    classes = [...classes.filter((members) => !touches(members)), merged]
  }
  return classes
}

/** `a = b`, of whatever type. */
export function isEquality(fact: Expr): fact is Extract<Expr, { readonly kind: 'OpExpr' }> {
  return fact.kind === 'OpExpr' && findOperatorName(fact.operator) === '='
}

function equalPair(fact: Expr): readonly [Var, Var] | undefined {
  if (!isEquality(fact)) return undefined
  const [left, right] = fact.args.map(withoutRelabel)
  if (left?.kind !== 'Var' || right?.kind !== 'Var' || left.type !== right.type) return undefined
  return IDENTICAL_WHEN_EQUAL.has(left.type) ? [left, right] : undefined
}

function withoutRelabel(expr: Expr): Expr {
  return expr.kind === 'RelabelType' ? withoutRelabel(expr.arg) : expr
}

function isSameColumn(a: Var, b: Var): boolean {
  return a.rtindex === b.rtindex && a.attribute === b.attribute
}
