import { findPgType } from '../types/pg-type.ts'
import type { DeclaredColumn, DeclaredDomain, DeclaredDomainCheck } from './declared-object.ts'

/** A domain with all that the domains under it say. */
export interface ResolvedDomain {
  readonly declared: DeclaredDomain
  /** What is stored: the type under all domains. */
  readonly type: string
  readonly typeOid: number
  readonly typmod: number
  readonly collation: string | undefined
  readonly notNull: boolean
  readonly checks: readonly DeclaredDomainCheck[]
}

/** The domains of one state of the schema, by pg_type.oid. */
export class DomainTypes {
  readonly #domains: ReadonlyMap<number, DeclaredDomain>
  readonly #elements: ReadonlyMap<number, DeclaredDomain>

  /** `arrayOid` is that of the arrays of the domain. */
  constructor(domains: Iterable<{ readonly arrayOid: number; readonly declared: DeclaredDomain }>) {
    const all = [...domains]
    this.#domains = new Map(all.map(({ declared }) => [declared.oid, declared]))
    this.#elements = new Map(all.map(({ arrayOid, declared }) => [arrayOid, declared]))
  }

  /** The domain that a type is; undefined for all other types. */
  find(typeOid: number): ResolvedDomain | undefined {
    const declared = this.#domains.get(typeOid)
    return declared === undefined ? undefined : this.#resolve(declared)
  }

  /** The type that values of a domain, or of the arrays of one, are stored as; undefined for all other types. */
  findBase(
    typeOid: number,
  ): { readonly type: string; readonly typeOid: number; readonly typmod: number } | undefined {
    const own = this.find(typeOid)
    const element = this.#elements.get(typeOid)
    if (own !== undefined || element === undefined) return own
    const { type, typeOid: elementOid, typmod } = this.#resolve(element)
    return { type: `${type}[]`, typeOid: findPgType(elementOid)?.arrayOid ?? 0, typmod }
  }

  /** A column as it would be declared without domains, with what its own demands and gives. */
  withoutDomain(column: DeclaredColumn): DeclaredColumn {
    const base = this.findBase(column.typeOid)
    if (base === undefined) return column
    const { type, typeOid, typmod } = base
    const domain = this.find(column.typeOid)
    if (domain === undefined) return { ...column, type, typeOid, typmod }
    return {
      ...column,
      type,
      typeOid,
      typmod,
      notNull: column.notNull || domain.notNull,
      ...(domain.collation === undefined ? {} : { collation: domain.collation }),
      ...defaultOf(column, domain.declared),
    }
  }

  #resolve(declared: DeclaredDomain): ResolvedDomain {
    const { type, typeOid, typmod, collation, notNull, constraints } = declared
    const under = this.findBase(typeOid)
    const domain = this.find(typeOid)
    return {
      declared,
      type: under?.type ?? type,
      typeOid: under?.typeOid ?? typeOid,
      typmod: under?.typmod ?? typmod,
      collation: collation ?? domain?.collation,
      notNull: notNull || domain?.notNull === true,
      checks: [...(domain?.checks ?? []), ...constraints],
    }
  }
}

/** A domain's default counts where the column says nothing. */
function defaultOf(
  column: DeclaredColumn,
  domain: DeclaredDomain,
): Pick<DeclaredColumn, 'default' | 'defaultSequences'> {
  const isFilled =
    column.default !== undefined || column.generated !== undefined || column.identity !== undefined
  if (isFilled || domain.default === undefined) return {}
  return {
    default: domain.default,
    ...(domain.defaultSequences === undefined ? {} : { defaultSequences: domain.defaultSequences }),
  }
}
