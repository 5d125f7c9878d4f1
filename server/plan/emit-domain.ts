import type { Expr } from '../sql/query-tree.ts'
import { isRowIndependent } from './computed-expressions.ts'
import type { Emission, Place } from './emission.ts'
import { NotPushable } from './not-pushable.ts'
import type { Assignment } from './written-row.ts'

/*
 * A value that no row has a part in becomes one of a domain in the companion, with PostgreSQL's own errors. One that comes from rows
 * does so where it is written to a column of that domain which Spanner checks: nowhere else can it be tested.
 */

/** A cast to a domain. @throws NotPushable where a value could be refused. */
export function emitDomainCast(
  emission: Emission,
  { arg, domain, location }: Extract<Expr, { readonly kind: 'CoerceToDomain' }>,
  place: Place,
): string {
  const { domains } = emission.context.schema.userTypes
  if (domains.get(domain)?.isConstrained === false) return emission.expression(arg, place)
  throw new NotPushable('a cast of a value that comes from rows to a domain', { location })
}

/** What is written to a column: without the cast to the column's domain where Spanner sees to it. */
export function assignedValue({ column, expr }: Assignment): Expr {
  const isChecked =
    expr.kind === 'CoerceToDomain' &&
    column.domain?.isChecked === true &&
    column.domain.oid === expr.domain
  return isChecked && !isRowIndependent(expr) ? expr.arg : expr
}

/** NULL for the columns that an INSERT leaves out and whose domains PostgreSQL has to ask whether they take it. */
export function omittedDomains(
  columns: readonly Assignment['column'][],
  assigned: readonly Assignment[],
): readonly Assignment[] {
  const known = new Set(assigned.map(({ column }) => column))
  return columns.flatMap((column): readonly Assignment[] => {
    const { domain } = column
    const isAsked = domain?.isConstrained === true && !domain.isChecked
    if (domain === undefined || !isAsked || known.has(column) || column.generated) return []
    return [{ column, expr: nullOf(column.typeOid, domain.oid) }]
  })
}

function nullOf(type: number, domain: number): Expr {
  const value: Expr = {
    kind: 'Const',
    type,
    typmod: -1,
    isNull: true,
    byValue: false,
    lengthBytes: -1,
    bytes: Buffer.alloc(0),
    location: -1,
  }
  return { kind: 'CoerceToDomain', arg: value, type, domain, location: -1 }
}
