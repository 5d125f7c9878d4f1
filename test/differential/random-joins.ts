import { condition, expression, type Ingredients, SORTABLE } from './random-expression.ts'
import { anything, type QueryText, rowsOf, unordered } from './random-query.ts'
import { RANKED, SAMPLES } from './tables.ts'

const JOINS = ['JOIN', 'LEFT JOIN', 'FULL JOIN', 'RIGHT JOIN']

function side(from: Ingredients, alias: string, columns = '*'): string {
  return `(SELECT ${columns} FROM ${SAMPLES} WHERE id <= ${4 + from.choices.below(12)}) AS ${alias}`
}

export function joinedUsing(from: Ingredients): QueryText {
  const { choices } = from
  const join = choices.pick(JOINS)
  const columns = choices.pick(['id', 'b, i2', 'i4', 't', 'md', 'd'])
  const value = anything(from)
  return unordered(
    `SELECT ${columns}, ${value}, b2.id FROM ${side(from, 'a')} ${join} ${side(from, 'b2')} USING (${columns})${choices.pick(['', ' AS j WHERE a.id > 1'])}`,
  )
}

export function natural(from: Ingredients): QueryText {
  const { choices } = from
  const [common, left, right] = choices.pick([
    ['id', 'o', 'i8'],
    ['id, t', 'o', 'i8, d'],
    ['b, i2', 'id', 'u, n2'],
    ['md, b', 'id', 't'],
  ])
  return unordered(
    `SELECT * FROM ${side(from, 'l', `${common}, ${left}`)} NATURAL ${choices.pick(JOINS)} ${side(from, 'r', `${common}, ${right}`)}`,
  )
}

/** Joins in parentheses, of three tables, and joined by what is computed. */
export function nestedJoins(from: Ingredients): QueryText {
  const { choices } = from
  const [one, two] = [choices.pick(JOINS), choices.pick(JOINS)]
  const type = choices.pick(SORTABLE)
  const key = (alias: string) => expression({ ...from, aliases: [alias] }, type, 1)
  const all: Ingredients = { ...from, aliases: ['a', 'b', 'c'] }
  const few = (alias: string) => side(from, alias)
  return choices.pick([
    () =>
      unordered(
        `SELECT a.id, b.id, c.id, ${anything(all, 1)} FROM ${few('a')} ${one} (${few('b')} ${two} ${few('c')} ON b.id = c.id + 1) ON a.id = b.id`,
      ),
    () =>
      unordered(
        `SELECT a.id, b.id, c.id FROM ${few('a')} ${one} ${few('b')} ON a.i2 = b.i4 ${two} ${few('c')} ON c.i8 = COALESCE(a.i8, b.i8)`,
      ),
    () =>
      unordered(
        `SELECT a.id, b.id, ${anything({ ...from, aliases: ['a', 'b'] }, 1)} FROM ${few('a')} ${choices.pick(['JOIN', 'LEFT JOIN'])} ${few('b')} ON ${key('a')} = ${key('b')} AND ${condition({ ...from, aliases: ['b'] }, 1)}`,
      ),
    () =>
      unordered(
        `SELECT a.id, b.id FROM ${few('a')}, ${few('b')} WHERE ${key('a')} IS NOT DISTINCT FROM ${key('b')} AND ${condition(from, 1)}`,
      ),
    () =>
      unordered(
        `SELECT a.id, count(b.id), ${choices.pick(['max(b.t)', 'bool_or(b.b)', 'sum(b.i4)'])} FROM ${few('a')} LEFT JOIN ${few('b')} ON b.id <= a.id AND ${condition({ ...from, aliases: ['b'] }, 1)} GROUP BY a.id`,
      ),
  ])()
}

/** A view that Spanner could not have. */
export function overView(from: Ingredients): QueryText {
  const { choices } = from
  const value = expression(from, choices.pick(SORTABLE), 1)
  return choices.isOneIn(2)
    ? unordered(`SELECT v.r, count(*), max(v.t) FROM ${RANKED} AS v GROUP BY v.r`)
    : unordered(
        `SELECT v.r, ${value} FROM ${RANKED} AS v JOIN ${SAMPLES} AS a ON a.id = v.id WHERE v.r < ${2 + choices.below(30)} AND ${rowsOf(from)}`,
      )
}
