import type { Choices } from './choices.ts'
import type { Makers } from './makers.ts'
import {
  aggregated,
  distinctOn,
  distinctRows,
  groupingSets,
  orderedSet,
  withTies,
} from './random-aggregates.ts'
import { condition, type Ingredients } from './random-expression.ts'
import { joinedUsing, natural, nestedJoins, overView } from './random-joins.ts'
import { bound } from './random-parameters.ts'
import {
  arrayOfRows,
  commonTable,
  overGroups,
  overResult,
  partsOfWindow,
  topOfJoin,
} from './random-parts.ts'
import {
  anything,
  DEPTH,
  ordered,
  type QueryText,
  rowsOf,
  sortable,
  unordered,
} from './random-query.ts'
import { seriesInFrom, seriesInList } from './random-series.ts'
import { nestedSets, recursive, values } from './random-set-operations.ts'
import { type RandomStatement, randomStatement, withParameters } from './random-statement.ts'
import { lateral, scalarSubquery, testedSubquery } from './random-subqueries.ts'
import { named, ranged, windowElsewhere, windowed } from './random-windows.ts'
import { SAMPLES } from './tables.ts'

const FORMS = [
  computed,
  computed,
  computedOfOneRow,
  computedOfOneRow,
  filtered,
  sorted,
  windowed,
  ranged,
  named,
  windowElsewhere,
  distinctOn,
  distinctRows,
  groupingSets,
  aggregated,
  aggregated,
  orderedSet,
  withTies,
  overGroups,
  overResult,
  topOfJoin,
  partsOfWindow,
  recursive,
  nestedSets,
  values,
  lateral,
  scalarSubquery,
  testedSubquery,
  seriesInList,
  seriesInFrom,
  overView,
  joinedUsing,
  natural,
  nestedJoins,
  arrayOfRows,
  commonTable,
  bound,
  bound,
]

/** Any SELECT over the differential tables: mostly of forms that Spanner does not have, by the choices. */
export function randomSelect(choices: Choices, makers: Makers): RandomStatement {
  return choices.isOneIn(4)
    ? randomStatement(choices, makers)
    : withParameters(choices.pick(FORMS), { choices, makers, aliases: ['a'], need: 'maybe' })
}

function computed(from: Ingredients): QueryText {
  const list = from.choices.times(1, 3, () => anything(from)).join(', ')
  return unordered(`SELECT a.id, ${list} FROM ${SAMPLES} AS a WHERE ${rowsOf(from)}`)
}

/** What may fail: of one row, so that it fails for a reason that both have. */
function computedOfOneRow(from: Ingredients): QueryText {
  const value = anything({ ...from, need: 'always' }, DEPTH + 1)
  return unordered(
    `SELECT a.id, ${value} FROM ${SAMPLES} AS a WHERE a.id = ${1 + from.choices.below(34)}`,
  )
}

function filtered(from: Ingredients): QueryText {
  return unordered(`SELECT a.id FROM ${SAMPLES} AS a WHERE ${condition(from, DEPTH + 1)}`)
}

function sorted(from: Ingredients): QueryText {
  const { choices } = from
  const direction = choices.pick(['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST', ' USING <'])
  const limit = choices.pick(['', ' LIMIT 5', ' OFFSET 3', ' LIMIT 4 OFFSET 2', ' LIMIT NULL'])
  return ordered(
    `SELECT a.id, ${anything(from)} FROM ${SAMPLES} AS a WHERE ${rowsOf(from)} ORDER BY ${sortable(from)}${direction}, ${sortable(from)}, a.id${limit}`,
  )
}
