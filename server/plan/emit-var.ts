import { type Column, quotePhysical, type Table } from '../schema/logical-schema.ts'
import { FIRST_USER_OID } from '../sql/builtin-catalog.ts'
import type { Expr, RangeTableEntry } from '../sql/query-tree.ts'
import { findStorage } from '../types/storage.ts'
import { CITEXT } from '../types/user-type.ts'
import type { Emission, Place } from './emission.ts'
import { NotPushable } from './not-pushable.ts'
import type { Scope } from './scope.ts'
import { unstoredType } from './unstored-type.ts'

type Var = Extract<Expr, { readonly kind: 'Var' }>
type Relation = Extract<RangeTableEntry, { readonly kind: 'relation' }>

/** A column reference: `t1."name"`, or `t2.c3` where the FROM item is no table. */
export function emitVar(emission: Emission, variable: Var, place: Place): string {
  const scope = place.scope.up(variable.levelsUp)
  const replaced = scope.replacementOf({ ...variable, levelsUp: 0 })
  if (replaced !== undefined) return replaced
  const entry = scope.entry(variable.rtindex)
  refuseWholeRow(variable, entry)
  switch (entry.kind) {
    case 'relation': {
      const column = mustFindColumn(mustFindTable(emission, entry), variable)
      refuseUnstored(column)
      return `${scope.alias(variable.rtindex)}.${quotePhysical(column.physical.name)}`
    }
    case 'join':
      return emitJoinColumn(emission, variable, scope, entry)
    case 'subquery':
    case 'values':
    case 'function':
    case 'cte':
      return `${scope.alias(variable.rtindex)}.c${variable.attribute}`
    case 'result':
    case 'unsupported':
      throw new NotPushable(`a column of ${entry.kind === 'result' ? 'nothing' : entry.tag}`)
  }
}

/** The column that holds a column of citext in lower case; undefined where what is referred to has none. */
export function emitLowerCaseOf(
  emission: Emission,
  variable: Var,
  place: Place,
): string | undefined {
  const scope = place.scope.up(variable.levelsUp)
  const entry = scope.entry(variable.rtindex)
  if (entry.kind !== 'relation' || variable.type !== CITEXT || variable.attribute < 1)
    return undefined
  const { physical } = mustFindColumn(mustFindTable(emission, entry), variable)
  if (physical.lowerCase === undefined) return undefined
  return `${scope.alias(variable.rtindex)}.${quotePhysical(physical.lowerCase)}`
}

/**
 * A column of a JOIN with an alias or of USING: the expression over the joined tables that it stands for.
 */
function emitJoinColumn(
  emission: Emission,
  variable: Var,
  scope: Scope,
  entry: Extract<RangeTableEntry, { readonly kind: 'join' }>,
): string {
  const expr = entry.aliasVars[variable.attribute - 1]
  if (expr === undefined) throw new NotPushable('a dropped column of a join')
  return emission.expression(expr, { scope })
}

function refuseWholeRow(variable: Var, entry: RangeTableEntry): void {
  const { attribute, location } = variable
  if (attribute === 0) throw new NotPushable('a reference to a whole row', { location })
  if (attribute > 0) return
  const what = entry.kind === 'relation' ? SYSTEM_COLUMNS.get(attribute) : undefined
  throw new NotPushable(`the system column ${what ?? attribute}`, { location })
}

function refuseUnstored(column: Column): void {
  if (findStorage(column.typeOid, column.typmod) !== undefined) return
  throw unstoredType(`the column ${column.name},`, column.typeOid)
}

/** access/sysattr.h. */
const SYSTEM_COLUMNS: ReadonlyMap<number, string> = new Map([
  [-1, 'ctid'],
  [-2, 'xmin'],
  [-3, 'cmin'],
  [-4, 'xmax'],
  [-5, 'cmax'],
  [-6, 'tableoid'],
])

/** The table of a client that a range table entry names. @throws NotPushable for everything else. */
export function mustFindTable(emission: Emission, entry: Relation): Table {
  const relation = emission.context.schema.relations.get(entry.relid)
  if (relation?.kind === 'table') return relation
  if (entry.relkind === 'S') {
    throw new NotPushable('a sequence that is read as a table', {
      hint: 'currval() and lastval() say what this session drew.',
    })
  }
  if (entry.relid >= FIRST_USER_OID)
    throw new NotPushable('a relation that Spanner has no table for')
  throw new NotPushable('system catalogs and tables in one statement', {
    hint: 'Read the catalogs in a statement of their own.',
  })
}

/** The column that a Var or a written target means. */
export function mustFindColumn(table: Table, variable: { readonly attribute: number }): Column {
  const column = table.columns.find((candidate) => candidate.attribute === variable.attribute)
  if (column === undefined) {
    throw new NotPushable(`an uncommitted column of ${table.name}`, {
      hint: 'Commit the transaction that has changed the table.',
    })
  }
  return column
}
