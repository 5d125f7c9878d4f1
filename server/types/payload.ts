import type { ByteWriter } from '../base/byte-writer.ts'
import { malformedValue, VALUE_KIND, type ValueScanner } from './value.ts'

/** Writes what stands behind the length of a DataRow cell. The value is not NULL and lies in `bytes`. */
export type PayloadWriter = (out: ByteWriter, value: ValueScanner, bytes: Buffer) => void

/** The two output functions of a type, for values that Spanner sent. */
export interface OutputCodec {
  readonly text: PayloadWriter
  readonly binary: PayloadWriter
  /** True where `text` is the string_value as it came, byte for byte. */
  readonly isPassThrough?: boolean
}

/** Demands a string_value. */
export function mustBeString(value: ValueScanner, typeName: string): void {
  if (value.kind !== VALUE_KIND.string) throw malformedValue(`no string for type ${typeName}`)
}

/** A copy of the string_value. */
export function copyString(typeName: string): PayloadWriter {
  return (out, value, bytes) => {
    mustBeString(value, typeName)
    out.slice(bytes, value.start, value.end)
  }
}
