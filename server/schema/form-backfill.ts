import { arrayText, parseArrayText } from '../types/array-text.ts'
import { findPgType, OID } from '../types/pg-type.ts'
import type { TypeForm } from '../types/type-form.ts'
import { findTypeForm } from '../types/type-forms.ts'
import type { DeclaredColumn } from './declared-object.ts'
import { quoteLiteral } from './postgres-text.ts'

/** Whether a column, or the elements of its arrays, are of a type that Spanner has nothing like. */
export function hasForm({ typeOid }: DeclaredColumn): boolean {
  return formOf(typeOid) !== undefined
}

function formOf(typeOid: number): TypeForm | undefined {
  return findTypeForm(findPgType(typeOid)?.elementOid ?? typeOid)
}

/*
 * PostgreSQL prints:   '01:00:00'::interval(0)    '10.0.0.1'::inet    2.5 (of money)    '{10.0.0.1,NULL}'::inet[]
 * Spanner:             '01:00:00'                 '10.0.0.1/32'       250               '{10.0.0.1/32,NULL}'::text[]
 */

/** Spanner's form of a default of such a column that is a constant; undefined for every other. */
export function formBackfill(column: DeclaredColumn): string | undefined {
  const form = formOf(column.typeOid)
  if (form === undefined) return undefined
  if (column.typeOid === OID.money && isNumber(column.default)) return inCents(column.default)
  const [, text, type = ''] = /^'([^'\\]*)'::([\w "()[\]]+)$/.exec(column.default ?? '') ?? []
  if (text === undefined || plainType(type) !== plainType(column.type)) return undefined
  const store = (value: string) => storedIn(column, form, value)
  if (findTypeForm(column.typeOid) === undefined) return storedArray(text, form, store)
  const stored = store(text)
  return stored === undefined || form.storedAs === 'bigint' ? stored : quoteLiteral(stored)
}

/** The stored form of a value that needs no coercion to the column's modifier. */
function storedIn({ typmod }: DeclaredColumn, form: TypeForm, text: string): string | undefined {
  const stored = form.store(text)
  const isCoerced = stored !== undefined && typmod >= 0 && form.fits?.(stored, typmod) === false
  return isCoerced ? undefined : stored
}

function storedArray(
  text: string,
  { storedAs }: TypeForm,
  store: (element: string) => string | undefined,
): string | undefined {
  const array = parseArrayText(text)
  if (array.kind !== 'elements') return undefined
  const elements: (string | undefined)[] = []
  for (const element of array.elements) {
    const stored = element === null ? undefined : store(element)
    if (element !== null && stored === undefined) return undefined
    elements.push(stored)
  }
  return `${quoteLiteral(arrayText(elements))}::${storedAs === 'bigint' ? 'bigint' : 'text'}[]`
}

const NUMBER = /^(\d{1,15})(?:\.(\d{1,2}))?$/

function isNumber(text: string | undefined): text is string {
  return text !== undefined && NUMBER.test(text)
}

function inCents(number: string): string {
  const [, whole = '', cents = ''] = NUMBER.exec(number) ?? []
  return String(BigInt(whole + cents.padEnd(2, '0')))
}

/** A type's name without its modifier. Bit strings of both types are one to Spanner. */
function plainType(name: string): string {
  return name.replace(/\(\d+\)|"| varying/g, '').replace(/^(interval) [a-z ]*/, '$1')
}
