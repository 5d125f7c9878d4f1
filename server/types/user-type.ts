import { createHash } from 'node:crypto'

/*
 * Types that clients make have the same OIDs in every proxy, because drivers keep them: they are a hash of the name under which
 * the type was made, above all that PostgreSQL's own counter gives out, and their last bits tell what the type is. So a
 * codec knows from the OID alone how a value is stored.
 *
 *     01hhhhhh hhhhhhhh hhhhhhhh hhhhhhkk     k: 0 the arrays of an enum, 1 the enum, 2 the arrays of a domain, 3 the domain
 *
 *
 * Types that an extension brings have OIDs below these, from the names of the extension and the type: an even number is the
 * arrays of a type, the odd one after it the type.
 *
 * What is stored for a domain, its declaration alone tells: values of it are those of its base type by the time they get here.
 */
const FIRST_OID = 0x40000000
/** FirstNormalObjectId of access/transam.h. */
const FIRST_NORMAL_OID = 16384
/** The OIDs of types that extensions bring, and how many types these suffice for. */
export const FIRST_EXTENSION_OID = 0x20000000
export const EXTENSION_OIDS = (FIRST_OID - FIRST_EXTENSION_OID) / 2
const END_OID = 0x80000000
const KINDS = 4
/** Arrays come first, as PostgreSQL gives them an OID first: its lists of what depends on a type are in that order. */
const ENUM_ARRAY = 0
const ENUM = 1
const DOMAIN = 3

/** The OID of an enum type that is made under a name, the next one where another type has it (one that had the name); that of its arrays is {@link arrayOidOf} it. */
export function enumOidOf(schema: string, name: string, taken?: ReadonlySet<number>): number {
  return freeOid({ schema, name, kind: ENUM }, taken)
}

/** The same for a domain. */
export function domainOidOf(schema: string, name: string, taken?: ReadonlySet<number>): number {
  return freeOid({ schema, name, kind: DOMAIN }, taken)
}

function freeOid(
  { schema, name, kind }: { readonly schema: string; readonly name: string; readonly kind: number },
  taken: ReadonlySet<number> | undefined,
): number {
  const hash = hashOf(schema, name)
  const count = (END_OID - FIRST_OID) / KINDS
  for (let number = hash % count; ; number = (number + 1) % count) {
    const oid = FIRST_OID + number * KINDS + kind
    if (taken?.has(oid) !== true) return oid
  }
}

function hashOf(...names: readonly string[]): number {
  return createHash('sha256').update(JSON.stringify(names)).digest().readUInt32BE(0)
}

/** The OID of a type that an extension brings, whichever schema it lies in. */
export function extensionTypeOidOf(extension: string, name: string): number {
  return FIRST_EXTENSION_OID + (hashOf(extension, name) % EXTENSION_OIDS) * 2 + 1
}

/** The OID of the arrays of a type that a client or an extension made: the one before its own. */
export function arrayOidOf(typeOid: number): number {
  return typeOid - 1
}

function kindOf(oid: number): number | undefined {
  return oid >= FIRST_OID && oid < END_OID ? oid % KINDS : undefined
}

/** Whether a type is the rows of a table, or the arrays of them: PostgreSQL gives it another OID in each database. */
export function isRowTypeOid(oid: number): boolean {
  return oid >= FIRST_NORMAL_OID && oid < FIRST_EXTENSION_OID
}

/** Whether a type has this OID for as long as its transaction lasts: what an open one has made gets another when it commits. (Row types are like it.) */
export function isPassingOid(oid: number): boolean {
  return isRowTypeOid(oid)
}

/** Whether a type is an enum that a client made. */
export function isEnumOid(oid: number): boolean {
  return kindOf(oid) === ENUM
}

/** Whether it is the arrays of one. */
export function isEnumArrayOid(oid: number): boolean {
  return kindOf(oid) === ENUM_ARRAY
}

/** pg_type.oid of citext: text whose comparisons pass over case. */
export const CITEXT = extensionTypeOidOf('citext', 'citext')
export const CITEXT_ARRAY = arrayOidOf(CITEXT)

/** What pg_type says of citext, of an enum type (but for its name), or of the arrays of them; undefined for other OIDs. */
export function findUserType(oid: number) {
  const unnamed = {
    oid,
    name: `with OID ${oid}`,
    typname: `with OID ${oid}`,
    alignBytes: 4,
  } as const
  if (oid === CITEXT) {
    const names = { name: 'citext', typname: 'citext' }
    return { ...unnamed, ...names, sizeBytes: -1, arrayOid: arrayOidOf(oid), elementOid: undefined }
  }
  if (oid === CITEXT_ARRAY) {
    const names = { name: 'citext[]', typname: '_citext' }
    return { ...unnamed, ...names, sizeBytes: -1, arrayOid: 0, elementOid: CITEXT }
  }
  if (isEnumOid(oid)) {
    return { ...unnamed, sizeBytes: 4, arrayOid: arrayOidOf(oid), elementOid: undefined }
  }
  return isEnumArrayOid(oid)
    ? { ...unnamed, sizeBytes: -1, arrayOid: 0, elementOid: oid - ENUM_ARRAY + ENUM }
    : undefined
}
