import { OID } from '../../server/types/pg-type.ts'
import type { Choices } from './choices.ts'
import { constant, expression, type Ingredients } from './random-expression.ts'
import { anything, DEPTH, type QueryText, rowsOf, sortable, unordered } from './random-query.ts'
import { SAMPLES } from './tables.ts'

const KEYS = ['a.b', 'a.i2', 'a.id % 3', 'length(a.t)', 'a.d', 'a.n', 'a.t']
const OF_GROUPS = [
  'count(*)',
  'count(a.t)',
  'count(DISTINCT a.i2)',
  'sum(a.i4)',
  'sum(a.n)',
  'max(a.t)',
  'min(a.d)',
  'max(a.ts)',
  'bool_and(a.b)',
  'count(*) FILTER (WHERE a.b)',
]

/** What is made of groups that Spanner can make. */
export function overGroups(from: Ingredients): QueryText {
  const { choices } = from
  const key = choices.pick(KEYS)
  const [one, two] = [choices.pick(OF_GROUPS), choices.pick(OF_GROUPS)]
  const having = choices.pick(['', '', ' HAVING count(*) > 1'])
  const where = choices.isOneIn(2) ? rowsOf(from) : 'true'
  const group = `FROM ${SAMPLES} AS a WHERE ${where} GROUP BY ${key}${having}`
  const rank = `rank() OVER (ORDER BY ${one} DESC, ${key})`
  return choices.pick([
    unordered(`SELECT ${key} AS k, ${one}, ${rank}, lag(${two}) OVER (ORDER BY ${key}) ${group}`),
    unordered(`SELECT md5((${key})::text), ${one} AS x, ${two} ${group} ORDER BY ${key} LIMIT 5`),
    unordered(`SELECT ${two}, rank() OVER (ORDER BY ${one}) FROM ${SAMPLES} AS a WHERE ${where}`),
    unordered(`SELECT DISTINCT ON (${one}) ${one}, ${key} ${group} ORDER BY ${one}, ${key}`),
    unordered(
      `SELECT ${key}, ${one} ${group} ORDER BY ${one} NULLS FIRST FETCH FIRST 3 ROWS WITH TIES`,
    ),
  ])
}

/** A result that Spanner can make, within what it cannot. */
export function overResult(from: Ingredients): QueryText {
  const { choices } = from
  const where = choices.isOneIn(2) ? rowsOf(from) : 'true'
  const query = choices.pick([
    `SELECT ${choices.pick(KEYS)} AS k, ${choices.pick(OF_GROUPS)} AS x FROM ${SAMPLES} AS a WHERE ${where} GROUP BY 1`,
    `SELECT DISTINCT ${choices.pick(KEYS)} AS k, a.b AS x FROM ${SAMPLES} AS a WHERE ${where}`,
    `SELECT a.id AS k, a.t AS x FROM ${SAMPLES} AS a WHERE ${where} ORDER BY a.id LIMIT ${1 + choices.below(9)}`,
  ])
  const test = choices.pick(['true', 'q.k IS NOT NULL', 'q.x IS NOT NULL', `md5(q.k::text) > '8'`])
  const outer = `SELECT q.k, q.x, count(*) OVER (PARTITION BY q.x) FROM`
  return choices.pick([
    unordered(`${outer} (${query}) AS q WHERE ${test}`),
    unordered(`WITH q AS (${query}) ${outer} q WHERE ${test}`),
    unordered(`WITH q AS (${query}) ${outer} q LEFT JOIN q AS o ON o.k = q.k WHERE ${test}`),
    unordered(
      `SELECT a.id, rank() OVER (ORDER BY a.id) FROM ${SAMPLES} AS a WHERE a.id > (SELECT count(q.x) FROM (${query}) AS q)`,
    ),
  ])
}

function star(choices: Choices): string {
  return choices.pick(['*', 'a.*', 's.*, a.id', 'a.*, s.t, s.*'])
}

export function topOfJoin(from: Ingredients): QueryText {
  const { choices } = from
  const join = choices.pick(['JOIN', 'LEFT JOIN'])
  const key = choices.pick(KEYS)
  const direction = choices.pick(['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'])
  const where = choices.isOneIn(2) ? rowsOf(from) : 'true'
  const body = `FROM ${SAMPLES} AS a ${join} ${SAMPLES} AS s ON s.id = a.id + 1 WHERE ${where} ORDER BY ${key}${direction}`
  const count = 1 + choices.below(6)
  return choices.pick([
    unordered(`SELECT a.id, s.t, ${anything(from)} ${body}, a.id LIMIT ${count} OFFSET 2`),
    unordered(`SELECT ${star(choices)}, ${anything(from)} ${body}, a.id LIMIT ${count}`),
    unordered(`SELECT a.id, ${anything(from)} ${body} FETCH FIRST ${count} ROWS WITH TIES`),
  ])
}

export function partsOfWindow(from: Ingredients): QueryText {
  const { choices } = from
  const type = choices.pick([OID.int8, OID.text, OID.date, OID.int4])
  const query = `SELECT a.id, ${expression(from, type, 1)} AS p, a.i2 FROM ${SAMPLES} AS a`
  const test = choices.pick(['q.p IS NULL', `q.p < ${constant(choices, type)}`, 'q.i2 > 3'])
  const over = choices.pick(['PARTITION BY r.p, r.i2', 'PARTITION BY r.p'])
  return unordered(
    `SELECT * FROM (SELECT r.*, count(*) OVER (${over}), rank() OVER (${over} ORDER BY r.id) FROM (${query}) AS r) AS q WHERE ${test}`,
  )
}

export function commonTable(from: Ingredients): QueryText {
  const { choices } = from
  const type = choices.pick([OID.int8, OID.text, OID.date, OID.int4])
  const materialized = choices.pick(['', ' MATERIALIZED', ' NOT MATERIALIZED'])
  const inner = `SELECT a.id, ${expression(from, type, DEPTH)} AS x, ${anything(from)} AS y FROM ${SAMPLES} AS a WHERE ${rowsOf(from)}`
  const where = choices.pick(['p.x IS NOT NULL', `p.x < ${constant(choices, type)}`, 'p.id > 3'])
  return unordered(
    `WITH q AS${materialized} (${inner}) SELECT p.id, o.x, p.y FROM q AS p LEFT JOIN q AS o ON o.id = p.id + 1 WHERE ${where}`,
  )
}

export function arrayOfRows(from: Ingredients): QueryText {
  const { choices } = from
  const inner: Ingredients = { ...from, aliases: ['s'], level: 1 }
  const array = `ARRAY(SELECT ${sortable(inner)} FROM ${SAMPLES} AS s WHERE s.id < a.id ORDER BY s.id LIMIT 4)`
  const row = choices.pick([
    `row_to_json((SELECT q FROM (SELECT a.id, a.t) AS q))::text`,
    'ROW(a.id, a.t) < ROW(5, NULL)',
    `(a.id, a.b) IN (SELECT s.id, s.b FROM ${SAMPLES} AS s WHERE s.i4 > 1)`,
  ])
  return unordered(`SELECT a.id, ${array}, ${row} FROM ${SAMPLES} AS a WHERE ${rowsOf(from)}`)
}
