import { CSTRING_LENGTH } from '../types/datum.ts'
import { arrayDatumText } from '../types/datum-array.ts'
import { findPgType } from '../types/pg-type.ts'
import { isEnumArrayOid, isEnumOid } from '../types/user-type.ts'
import type { NodeObject, NodeValue } from './node-text.ts'

/*
 * PostgreSQL:  {CONST :consttype <enum> :constlen 4 :constvalue 4 [ <OID of the label> ]}
 * read as:     {CONST :consttype <enum> :constlen -2 :constvalue [ <the label, zero-terminated> ]}
 *
 * Arrays likewise: their text. A constant whose labels are not known stays as it is, and has no text then.
 */

/** A label by pg_enum.oid. */
export type FindLabel = (oid: number) => string | undefined

/** A node tree whose enum constants hold their text. */
export function withEnumLabels(value: NodeValue, findLabel: FindLabel): NodeValue {
  if (value?.kind === 'list') {
    return { ...value, items: value.items.map((item) => withEnumLabels(item, findLabel)) }
  }
  if (value?.kind !== 'object') return value
  if (value.tag === 'CONST') return withText(value, findLabel)
  const fields = [...value.fields].map(
    ([name, field]) => [name, withEnumLabels(field, findLabel)] as const,
  )
  return { ...value, fields: new Map(fields) }
}

function withText(constant: NodeObject, findLabel: FindLabel): NodeObject {
  const type = constant.fields.get('consttype')
  const datum = constant.fields.get('constvalue')
  if (type?.kind !== 'atom' || datum?.kind !== 'datum') return constant
  const text = textOf(Number(type.text), datum.bytes, findLabel)
  if (text === undefined) return constant
  return {
    ...constant,
    fields: new Map<string, NodeValue>([
      ...constant.fields,
      ['constlen', { kind: 'atom', text: String(CSTRING_LENGTH) }],
      ['constbyval', { kind: 'atom', text: 'false' }],
      ['constvalue', { kind: 'datum', bytes: Buffer.from(`${text}\0`) }],
    ]),
  }
}

function textOf(typeOid: number, bytes: Buffer, findLabel: FindLabel): string | undefined {
  if (isEnumOid(typeOid)) return findLabel(bytes.readUInt32LE(0))
  if (!isEnumArrayOid(typeOid)) return undefined
  const element = findPgType(findPgType(typeOid)?.elementOid ?? 0)
  return element === undefined
    ? undefined
    : arrayDatumText(bytes, element, (label) => findLabel(label.readUInt32LE(0)))
}
