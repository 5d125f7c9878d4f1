import type { EncodedValue } from '../../server/types/spanner-type.ts'
import {
  encodeBool,
  encodeList,
  encodeNull,
  encodeNumber,
  encodeString,
} from '../../server/types/value.ts'
import type { SpannerJson } from './fixtures.ts'

/** The encoded Value of Spanner's JSON. */
export function encodeJson(json: SpannerJson): EncodedValue {
  if (json === null) return encodeNull()
  if (typeof json === 'boolean') return encodeBool(json)
  if (typeof json === 'number') return encodeNumber(json)
  if (typeof json === 'string') return encodeString(json)
  return encodeList(json.map(encodeJson))
}
