import type { DeclaredDomainCheck } from './declared-object.ts'
import type { Difference, TableChange } from './difference.ts'
import { DomainTypes, type ResolvedDomain } from './domain-types.ts'
import type { MappingContext } from './mapping-context.ts'
import { toExpressionColumn } from './physical-column.ts'
import { toSpannerExpression } from './physical-expression.ts'
import type { MappingInput } from './physical-mapping.ts'
import type { PhysicalCheck, StoredDomain, StoredTable } from './physical-schema.ts'
import type { CatalogDomain } from './snapshot.ts'
import { declaredAfter } from './table-columns.ts'
import { mapColumns, type Renumbering } from './type-oids.ts'
import { unsupported } from './unsupported.ts'

/*
 * Spanner knows nothing of domains: a column of one is a column of its base type, with its NOT NULL and its checks. A check that
 * Spanner cannot say is tested by the companion alone, on the values that it computes; values that come from rows are refused
 * then (plan/emit-domain.ts).
 */

/** The domains on both sides of a difference; those of the transaction under the OIDs that will be stored. */
export interface DomainStates {
  readonly before: DomainTypes
  readonly after: DomainTypes
}

/** Reads them out of a difference. */
export function domainStates({ domains }: Difference, renumbering: Renumbering): DomainStates {
  const before = domains.flatMap((change) =>
    change.kind === 'created' ? [] : [renumbered(change.before, renumbering)],
  )
  const after = domains.flatMap((change) =>
    change.kind === 'dropped' ? [] : [renumbered(change.after, renumbering)],
  )
  return { before: new DomainTypes(before), after: new DomainTypes(after) }
}

function renumbered(domain: CatalogDomain, renumbering: Renumbering): CatalogDomain {
  const { oid, arrayOid, declared } = domain
  const to = (from: number): number => renumbering.get(from) ?? from
  return {
    oid: to(oid),
    arrayOid: to(arrayOid),
    declared: { ...declared, oid: to(declared.oid), typeOid: to(declared.typeOid) },
  }
}

/** The stored rows of the domains after a difference. */
export function mapDomains(input: MappingInput, renumbering: Renumbering): StoredDomain[] {
  return input.difference.domains.flatMap((change): StoredDomain[] => {
    if (change.kind === 'dropped') return []
    const { declared } = renumbered(change.after, renumbering)
    const id = input.stored.get(change.after.oid)?.id ?? input.newId()
    return [{ kind: 'domain', id, declared }]
  })
}

/** A table's change as it would be without domains. */
export function withoutDomains(change: TableChange, { before, after }: DomainStates): TableChange {
  return mapColumns(change, {
    before: (column) => before.withoutDomain(column),
    after: (column) => after.withoutDomain(column),
  })
}

/** A table whose checks are mapped. */
interface CheckedTable {
  readonly change: TableChange
  /** The stored table that goes on. */
  readonly kept: StoredTable | undefined
  readonly physicalName: string
  readonly columnNames: Readonly<Record<string, string>>
  readonly allocate: (name: string) => string
}

/** The CHECKs of Spanner that stand for those of the columns' domains. `change` is the declared one. */
export function domainChecks(table: CheckedTable, context: MappingContext): PhysicalCheck[] {
  const old = (table.kept?.physical.checks ?? []).filter(({ ofDomain }) => ofDomain !== undefined)
  const left = new Set(old)
  const checks: PhysicalCheck[] = []
  for (const { column, domain, known } of checkedColumns(table.change, context.domains)) {
    const physicalName = table.columnNames[column.name] ?? ''
    const value = toExpressionColumn(context.domains.after.withoutDomain(column), physicalName)
    const columns = new Map([['VALUE', value]])
    for (const check of domain.checks.filter(isValidated)) {
      const expression = toSpannerExpression(check.expression, {
        columns,
        isVolatileAllowed: false,
      })
      if (expression !== undefined) {
        const same = takeSame(left, expression)
        const name = same?.name ?? table.allocate(`spw_domain_${physicalName}_${check.name}`)
        const { schema, name: domainName } = domain.declared
        const ofDomain = { schema, name: domainName, check: check.name, column: column.name }
        checks.push({ name, expression, ofDomain })
      } else if (!known.has(check.expression)) demandEmpty(table, check, context)
    }
  }
  return checks
}

/** One of the checks with this expression, taken out. */
function takeSame(checks: Set<PhysicalCheck>, expression: string): PhysicalCheck | undefined {
  const same = [...checks].find((candidate) => candidate.expression === expression)
  if (same !== undefined) checks.delete(same)
  return same
}

interface CheckedColumn {
  readonly column: { readonly name: string; readonly typeOid: number } & Parameters<
    DomainTypes['withoutDomain']
  >[0]
  readonly domain: ResolvedDomain
  /** The checks that the column's rows passed before. */
  readonly known: ReadonlySet<string>
}

function checkedColumns(change: TableChange, { before, after }: DomainStates): CheckedColumn[] {
  return change.columns.flatMap((part): CheckedColumn[] => {
    if (part.kind === 'dropped') return []
    const domain = after.find(part.after.typeOid)
    if (domain === undefined) return []
    const passed = part.kind === 'kept' ? before.find(part.before.typeOid)?.checks : undefined
    const known = new Set((passed ?? []).filter(isValidated).map(({ expression }) => expression))
    return [{ column: part.after, domain, known }]
  })
}

/** ADD CONSTRAINT .. NOT VALID leaves the rows that are there alone. */
function isValidated({ definition }: DeclaredDomainCheck): boolean {
  return !definition.endsWith(' NOT VALID')
}

function demandEmpty(
  { change, kept, physicalName }: CheckedTable,
  { name }: DeclaredDomainCheck,
  context: MappingContext,
): void {
  if (kept === undefined || context.isEmpty(physicalName) !== false) return
  throw unsupported(
    `Spanner cannot test check constraint "${name}" on the rows of table "${declaredAfter(change).name}"`,
    'Use comparisons, arithmetic, IN lists and simple text functions, or add the constraint NOT VALID.',
  )
}
