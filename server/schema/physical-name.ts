/** PostgreSQL's NAMEDATALEN - 1, where Spanner's parser of this dialect cuts a name too. */
const MAX_NAME_LENGTH = 63

/**
 * Hands out Spanner names for one namespace: unique without regard to case, and never a name that is or was taken in the
 * same change. Spanner has one namespace a named schema for tables, indexes, constraints, views and sequences (Spanner manual,
 * "PostgreSQL lexical structure"); columns have one a table. Of CHECKs and foreign keys, the emulator takes a name once in all schemas: what is
 * given to one is no constraint's in any of them.
 */
export class PhysicalNames {
  readonly #taken = new Set<string>()

  /** The names of constraints in all schemas. */
  readonly #constraints: Set<string>

  /** `sibling`: the names of another schema of the same database. */
  constructor(taken: Iterable<string> = [], sibling?: PhysicalNames) {
    this.#constraints = sibling === undefined ? new Set() : sibling.#constraints
    for (const name of taken) this.take(name)
  }

  take(name: string): void {
    this.#taken.add(name.toLowerCase())
  }

  takeConstraint(name: string): void {
    this.take(name)
    this.#constraints.add(name.toLowerCase())
  }

  /** The wanted name where Spanner takes it and it is free, else one made from it. */
  allocate(wanted: string): string {
    return this.allocateOwn(toValidName(wanted))
  }

  /** As `allocate`, for a name of our own making: reserved prefixes are all right. */
  allocateOwn(wanted: string): string {
    const name = firstFree(wanted, (candidate) => this.#taken.has(candidate))
    this.take(name)
    return name
  }

  /** As `allocate`, for a CHECK or a foreign key. */
  allocateConstraint(wanted: string): string {
    return this.allocateOwnConstraint(toValidName(wanted))
  }

  /** As `allocateOwn`, for a CHECK or a foreign key. */
  allocateOwnConstraint(wanted: string): string {
    const name = firstFree(
      wanted,
      (candidate) => this.#taken.has(candidate) || this.#constraints.has(candidate),
    )
    this.takeConstraint(name)
    return name
  }
}

/** The name itself, or with the first number behind it that makes it free. */
function firstFree(wanted: string, isTaken: (lowerCase: string) => boolean): string {
  const base = wanted.slice(0, MAX_NAME_LENGTH)
  let name = base
  for (let n = 2; isTaken(name.toLowerCase()); n++) {
    const suffix = `_${n}`
    name = base.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix
  }
  return name
}

/**
 * The declared name where Spanner takes it as it is (letters, digits, underscores, no leading underscore, no reserved prefix,
 * 63 characters), else the nearest that it takes. `spw_` is kept for names of our own.
 */
export function toValidName(wanted: string): string {
  const plain = wanted.replace(/[^A-Za-z0-9_]/g, '_').replace(/^_+/, '')
  const prefixed = /^[A-Za-z]/.test(plain) && !RESERVED.test(plain) ? plain : `m_${plain}`
  return prefixed.slice(0, MAX_NAME_LENGTH)
}

const RESERVED = /^(?:pg_|spanner_|spw_|spanwire_|spanner$|spanwire$|information_schema$|public$)/i
