import type { Query } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import { ComputedList } from './computed-expressions.ts'
import type { Emission, EmitContext, EmittedSelect, SelectOptions } from './emission.ts'
import { emitDelete } from './emit-delete.ts'
import { emitExpression } from './emit-expression.ts'
import { emitInsert } from './emit-insert.ts'
import { lockHint, locksRows } from './emit-lock.ts'
import { emitSelect } from './emit-select.ts'
import { emitUpdate } from './emit-update.ts'
import { refuseBeyondLimits, refuseManyFunctions } from './limits.ts'
import { NotPushable } from './not-pushable.ts'
import { ParamList } from './param-list.ts'
import type { PushdownRoute } from './plan.ts'
import { unseenDraws } from './sequence-draws.ts'

/**
 * Writes a statement for Spanner: from PostgreSQL's analysed and rewritten tree, in which every name is resolved and every
 * implicit cast is there, to Spanner's PostgreSQL dialect over the physical schema.
 *
 * One invariant carries it: the SQL of an expression has the Spanner type that the expression's PostgreSQL type is stored as
 * (types/storage.ts), and the value that PostgreSQL's would be stored as. What cannot keep it is refused.
 *
 * `noticesRange`: whoever gets the rows of a SELECT notices an integer out of its type's range.
 *
 * @throws NotPushable where Spanner cannot run the statement or would answer otherwise; PgError 54000 past Spanner's limits.
 */
export function emitPushdown(
  tree: Query,
  context: EmitContext,
  { noticesRange = true }: Pick<SelectOptions, 'noticesRange'> = {},
): PushdownRoute {
  const emission = openEmission(context)
  const command = commandOf(tree)
  const { sql, columns, again, draws, written } = emitCommand(emission, tree, noticesRange)
  // DML takes no such hint: what its subqueries scan is locked with the rest.
  const hint = command === 'SELECT' ? lockHint(emission, tree) : ''
  const whole = `${hint}${sql}`
  refuseBeyondLimits(whole, emission.params.sources.length)
  if (command === 'SELECT') refuseManyFunctions(whole)
  const drawn = draws ?? unseenDraws(whole, emission.drawnSequences)
  return {
    kind: 'pushdown',
    command,
    sql: whole,
    params: emission.params.sources,
    computed: emission.computed.toPlan(),
    columns,
    again,
    draws: drawn,
    writesDrawn: command !== 'SELECT' && (emission.drawsUuids || drawn !== undefined),
    written,
    locksRows: locksRows(tree),
    isOrdered: tree.command === 'select' && tree.sortClause.length > 0,
    integerName: onlyNameOf(emission.integerTypes),
    saysLess: emission.saysLess,
  }
}

function openEmission(context: EmitContext): Emission {
  let aliases = 0
  const emission: Emission = {
    context,
    params: new ParamList(),
    computed: new ComputedList(context.schema.userTypes.names),
    drawnSequences: new Set(),
    drawsUuids: false,
    integerTypes: new Set(),
    saysLess: false,
    newAlias: () => {
      aliases += 1
      return `t${aliases}`
    },
    expression: (expr, place) => emitExpression(emission, expr, place),
    select: (query, options) => emitSelect(emission, query, options),
  }
  return emission
}

/** What PostgreSQL calls the one type of integers that the statement computes; undefined where there are several, or it is bigint. */
function onlyNameOf(types: ReadonlySet<number>): PushdownRoute['integerName'] {
  if (types.size !== 1) return undefined
  if (types.has(OID.int4)) return 'integer'
  return types.has(OID.int2) ? 'smallint' : undefined
}

const COMMANDS = { select: 'SELECT', insert: 'INSERT', update: 'UPDATE', delete: 'DELETE' } as const

function commandOf({ command }: Query): PushdownRoute['command'] {
  if (command === 'merge')
    throw new NotPushable('MERGE', { hint: 'Use INSERT .. ON CONFLICT, UPDATE and DELETE.' })
  if (command === 'utility' || command === 'nothing') throw new NotPushable('such a statement')
  return COMMANDS[command]
}

function emitCommand(emission: Emission, tree: Query, noticesRange: boolean): EmittedSelect {
  switch (commandOf(tree)) {
    case 'SELECT':
      return emission.select(tree, { parent: undefined, isTop: true, noticesRange })
    case 'INSERT':
      return emitInsert(emission, tree)
    case 'UPDATE':
      return emitUpdate(emission, tree)
    case 'DELETE':
      return emitDelete(emission, tree)
  }
}
