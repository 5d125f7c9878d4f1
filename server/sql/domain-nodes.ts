import { findPgType } from '../types/pg-type.ts'
import type { NodeObject, NodeValue } from './node-text.ts'

/*
 * PostgreSQL:  {VAR :vartype <domain> :vartypmod -1}          read as:  {VAR :vartype 1043 :vartypmod 34}
 *              {COERCETODOMAIN :arg .. :resulttype <domain>}            {COERCETODOMAIN :arg .. :resulttype 1043 :domain <domain>}
 *              {ARRAYCOERCEEXPR :arg .. :resulttype <domain[]>}         {COERCETODOMAIN :arg .. :resulttype 1015 :domain <domain[]>}
 *              {PARAM :paramtype <domain>}                              {COERCETODOMAIN :arg {PARAM :paramtype <domain>} ..}
 *
 * So that a value of a domain is one of its base type everywhere but where it becomes one. A client's parameter becomes one when
 * it is read.
 */

/** What values of a domain, or of the arrays of one, are stored as, by pg_type.oid; undefined for other types. */
export type FindDomain = (
  oid: number,
) => { readonly baseOid: number; readonly baseTypmod: number } | undefined

/** A node tree in which domains are their base types. */
export function withBaseTypes(value: NodeValue, findDomain: FindDomain): NodeValue {
  if (value?.kind === 'list') {
    return { ...value, items: value.items.map((item) => withBaseTypes(item, findDomain)) }
  }
  if (value?.kind !== 'object') return value
  const cast = CASTS.get(value.tag)
  const domain = cast === undefined ? undefined : value.fields.get(cast)
  if (domain?.kind === 'atom' && findDomain(Number(domain.text)) !== undefined) {
    return toDomainCast(value, domain.text, findDomain)
  }
  const fields = [...value.fields].map(
    ([name, field]) => [name, withBaseTypes(inField(name, field, findDomain), findDomain)] as const,
  )
  const added = value.tag === 'CONST' ? elementsOf(value, findDomain) : typmodOf(value, findDomain)
  return { ...value, fields: new Map([...fields, ...added]) }
}

/** Nodes that make a value of a domain, with the field that names it. */
const CASTS: ReadonlyMap<string, string> = new Map([
  ['COERCETODOMAIN', 'resulttype'],
  ['ARRAYCOERCEEXPR', 'resulttype'],
  ['PARAM', 'paramtype'],
])

/** Fields that hold types or lists of types; every other number in them is far below a domain's OID. */
const TYPE_FIELD = /types?$|^typeId$|typeid$/i

/** Nodes that tell the modifier of their type. */
const TYPMODS: ReadonlyMap<string, readonly [type: string, typmod: string]> = new Map([
  ['VAR', ['vartype', 'vartypmod']],
  ['CASETESTEXPR', ['typeId', 'typeMod']],
  ['SETTODEFAULT', ['typeId', 'typeMod']],
])

function toDomainCast(node: NodeObject, domain: string, findDomain: FindDomain): NodeObject {
  const arg = node.tag === 'PARAM' ? node : withBaseTypes(node.fields.get('arg'), findDomain)
  return {
    kind: 'object',
    tag: 'COERCETODOMAIN',
    fields: new Map([
      ['arg', arg],
      ['resulttype', toBase({ kind: 'atom', text: domain }, findDomain)],
      ['domain', { kind: 'atom', text: domain }],
      ['location', node.fields.get('location')],
    ]),
  }
}

function inField(name: string, field: NodeValue, findDomain: FindDomain): NodeValue {
  if (!TYPE_FIELD.test(name)) return field
  if (field?.kind !== 'list') return toBase(field, findDomain)
  return { ...field, items: field.items.map((item) => toBase(item, findDomain)) }
}

function toBase(value: NodeValue, findDomain: FindDomain): NodeValue {
  const domain = value?.kind === 'atom' ? findDomain(Number(value.text)) : undefined
  return domain === undefined ? value : { kind: 'atom', text: String(domain.baseOid) }
}

function typmodOf(node: NodeObject, findDomain: FindDomain): [string, NodeValue][] {
  const [type, typmod] = TYPMODS.get(node.tag) ?? []
  const oid = type === undefined ? undefined : node.fields.get(type)
  const domain = oid?.kind === 'atom' ? findDomain(Number(oid.text)) : undefined
  if (domain === undefined || typmod === undefined) return []
  return [[typmod, { kind: 'atom', text: String(domain.baseTypmod) }]]
}

/** Where an array names the type of its elements (ArrayType.elemtype of src/include/utils/array.h). */
const ELEMENT_TYPE_OFFSET = 12

/** The value of a constant array of a domain, as one of its base type. */
function elementsOf(constant: NodeObject, findDomain: FindDomain): [string, NodeValue][] {
  const type = constant.fields.get('consttype')
  const datum = constant.fields.get('constvalue')
  const domain = type?.kind === 'atom' ? findDomain(Number(type.text)) : undefined
  const elementOid = findPgType(domain?.baseOid ?? 0)?.elementOid
  if (datum?.kind !== 'datum' || elementOid === undefined) return []
  const bytes = Buffer.from(datum.bytes)
  if (bytes.length >= ELEMENT_TYPE_OFFSET + 4) bytes.writeUInt32LE(elementOid, ELEMENT_TYPE_OFFSET)
  return [['constvalue', { kind: 'datum', bytes }]]
}
