import type { Rule } from './rules.ts'
import { mustColumn } from './swept-expression.ts'
import { SAMPLES } from './tables.ts'
import type { ValueColumn } from './values.ts'
import { variantsOf } from './variants.ts'

/*
 * Statements for the rows of the allow-list that are more than a value for a value: aggregates, and functions in FROM.
 */

/** Rows whose floats add up to the same sum in every order. */
const EXACT_FLOATS = '(1, 3, 4, 6, 7, 8, 9, 10, 33)'
/** Aggregates whose value shows in which order the rows came. */
const SHOWS_ORDER = /^(array_agg|string_agg|jsonb?_agg)$/

/** The statements that hold one aggregate. */
export function aggregateStatements(rule: Rule): readonly string[] {
  if (rule.argTypes.length === 0)
    return ['SELECT count(*) FROM samples', 'SELECT b, count(*) FROM samples GROUP BY b']
  return variantsOf(rule).flatMap(({ argTypes }) => {
    const column = mustColumn(argTypes[0] ?? 0)
    return SHOWS_ORDER.test(rule.name) ? ofSingleRows(rule, column) : ofRows(rule, column)
  })
}

/** Groups of one row have no order. */
function ofSingleRows(rule: Rule, { name }: ValueColumn): readonly string[] {
  const args = rule.name === 'string_agg' ? `"${name}", ','` : `"${name}"`
  return [
    `SELECT id, ${rule.name}(${args}) FROM ${SAMPLES} GROUP BY id`,
    `SELECT ${rule.name}(${args}) FROM ${SAMPLES} WHERE id < 0`,
  ]
}

function ofRows(rule: Rule, { name, typeOid }: ValueColumn): readonly string[] {
  const isSummed = (typeOid === 700 || typeOid === 701) && /^(sum|avg)$/.test(rule.name)
  const where = isSummed ? ` WHERE id IN ${EXACT_FLOATS}` : ''
  const call = (arg: string, filter = '') => `pg_catalog."${rule.name}"(${arg})${filter}`
  return [
    `SELECT ${call(`"${name}"`)} FROM ${SAMPLES}${where}`,
    `SELECT b, ${call(`"${name}"`)} FROM ${SAMPLES}${where} GROUP BY b`,
    `SELECT ${call(`"${name}"`)} FROM ${SAMPLES} WHERE id < 0`,
    `SELECT ${call(`"${name}"`, ' FILTER (WHERE id > 2)')} FROM ${SAMPLES}${where}`,
    `SELECT ${call(`DISTINCT "${name}"`)} FROM ${SAMPLES}${where}`,
  ]
}

/** Rows of the column j that functions of arrays, and those of objects, take. */
const CONTAINERS = new Map([
  ['jsonb_array_elements', '(10, 12, 16, 20)'],
  ['jsonb_object_keys', '(11, 13, 14, 15, 20)'],
])

function seriesStatements({ argTypes }: Rule): readonly string[] {
  const bounds = ['2', '7', '3'].slice(0, argTypes.length)
  const args = bounds.map((bound) => (argTypes[0] === 20 ? `${bound}::bigint` : bound)).join(', ')
  return [
    `SELECT a.id, g FROM ${SAMPLES} AS a JOIN generate_series(${args}) AS g ON g = a.id`,
    `SELECT a.id FROM ${SAMPLES} AS a WHERE a.id IN (SELECT g FROM generate_series(${args}) AS g)`,
  ]
}

/** The statements that hold a function in FROM: of constants, and inside of a row's own subquery. */
export function setFunctionStatements(rule: Rule): readonly string[] {
  if (rule.name === 'generate_series') return seriesStatements(rule)
  const rows = CONTAINERS.get(rule.name)
  if (rows === undefined) throw new Error(`no statements for the function ${rule.name} in FROM`)
  return [
    `SELECT a.id, (SELECT count(e::text) FROM ${rule.name}(a.j) AS e) FROM ${SAMPLES} AS a WHERE a.id IN ${rows}`,
    `SELECT a.id, (SELECT count(*) FROM ${rule.name}(a.j) AS e WHERE e::text IN ('a', '1', '"a"')) FROM ${SAMPLES} AS a WHERE a.id IN ${rows}`,
    `SELECT a.id FROM ${SAMPLES} AS a WHERE a.id = 2 AND EXISTS (SELECT 1 FROM ${rule.name}(a.j) AS e)`,
  ]
}
