import type { Const } from '../sql/query-tree.ts'
import { parseArrayText } from '../types/array-text.ts'
import { castTypeOf } from '../types/cast-type.ts'
import { datumToText } from '../types/datum.ts'
import { findPgType, OID } from '../types/pg-type.ts'
import { findStorage } from '../types/storage.ts'
import { findTypeForm } from '../types/type-forms.ts'
import { NotPushable } from './not-pushable.ts'
import { quoteLiteral } from './quote-literal.ts'

/**
 * A constant in Spanner's SQL: of a definite type wherever Spanner would guess another, so that every operator is resolved as
 * PostgreSQL resolved it.
 *
 * @throws NotPushable where Spanner has no such value: infinite dates, years before 1 or after 9999.
 */
export function emitConstant(constant: Const): string {
  // A literal that an argument of type "any" has left without a type.
  if (constant.type === OID.unknown) return emitUnknown(constant)
  const castType = castTypeOf(constant.type)
  if (castType === undefined) throw refusal(constant, `a constant of type ${constant.type}`)
  if (constant.isNull) return `NULL::${castType}`
  const text = datumToText(constant.type, constant.bytes, constant.lengthBytes, constant.byValue)
  if (text === undefined) throw refusal(constant, `a constant of type ${constant.type}`)
  const elementType = findPgType(constant.type)?.elementOid
  if (elementType === undefined) return literal(constant, constant.type, text)
  const array = parseArrayText(text)
  if (array.kind !== 'elements') throw refusal(constant, 'an array of several dimensions')
  const elements = array.elements.map((element) =>
    element === null ? 'NULL' : literal(constant, elementType, element),
  )
  return `ARRAY[${elements.join(', ')}]::${castType}`
}

function emitUnknown(constant: Const): string {
  const { type, bytes, lengthBytes, byValue } = constant
  if (constant.isNull) return 'NULL::text'
  return quoteLiteral(datumToText(type, bytes, lengthBytes, byValue) ?? '')
}

/**
 * The elements of a constant array, each as a constant's SQL; undefined where the constant is no array or is NULL.
 */
export function emitConstantElements(constant: Const): readonly string[] | undefined {
  const elementType = findPgType(constant.type)?.elementOid
  if (elementType === undefined || constant.isNull) return undefined
  const text = datumToText(constant.type, constant.bytes, constant.lengthBytes, constant.byValue)
  const array = text === undefined ? undefined : parseArrayText(text)
  if (array?.kind !== 'elements') return undefined
  return array.elements.map((element) =>
    element === null ? `NULL::${castTypeOf(elementType)}` : literal(constant, elementType, element),
  )
}

function literal(constant: Const, typeOid: number, printed: string): string {
  const text = storedText(constant, typeOid, printed)
  const castType = castTypeOf(typeOid)
  switch (findStorage(typeOid, -1)?.type.code) {
    case 'BOOL':
      return text === 't' ? 'true' : 'false'
    case 'INT64':
      return signed(text)
    case 'NUMERIC':
      return numericLiteral(constant, text)
    case 'STRING':
      return quoteLiteral(typeOid === OID.bpchar ? text.replace(/ +$/, '') : text)
    case 'DATE':
      return `${quoteLiteral(refuseBeyondCalendar(constant, text))}::${castType}`
    case 'TIMESTAMP':
      return `${quoteLiteral(atUtc(typeOid, refuseBeyondCalendar(constant, text)))}::${castType}`
    case 'FLOAT64':
    case 'FLOAT32':
    case 'BYTES':
    case 'JSON':
    case 'UUID':
      return `${quoteLiteral(text)}::${castType}`
    default:
      throw refusal(constant, `a constant of type ${typeOid}`)
  }
}

/** The form in which Spanner holds a value of a type that it has nothing like. */
function storedText(constant: Const, typeOid: number, text: string): string {
  const form = findTypeForm(typeOid)
  const stored = form === undefined ? text : form.store(text)
  if (stored === undefined) throw refusal(constant, `a constant of type ${typeOid}`)
  return stored
}

function signed(text: string): string {
  return text.startsWith('-') ? `(${text})` : text
}

/** Digits with a point are numeric to Spanner, digits without one are not. */
function numericLiteral(constant: Const, text: string): string {
  if (/^-?\d+\.\d+$/.test(text)) return signed(text)
  if (/^-?\d+$/.test(text)) return `${signed(text)}::numeric`
  if (text === 'NaN') return "'NaN'::numeric"
  throw refusal(constant, 'an infinite numeric')
}

/** Spanner's dates end with year 9999 and begin with year 1. */
function refuseBeyondCalendar(constant: Const, text: string): string {
  if (!/^\d{4}-\d\d-\d\d/.test(text) || text.endsWith('BC')) {
    throw refusal(constant, 'a date outside the years 1 to 9999')
  }
  return text
}

/** A timestamp without time zone is stored at UTC; one with a zone has its offset in its text. */
function atUtc(typeOid: number, text: string): string {
  return typeOid === OID.timestamp ? `${text}+00` : text
}

function refusal(constant: Const, reason: string): NotPushable {
  return new NotPushable(reason, { location: constant.location })
}
