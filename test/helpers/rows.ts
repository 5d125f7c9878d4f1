import type { ResultColumn, RowStream, SpannerParam } from '../../server/backend/backend.ts'
import { ProtoReader } from '../../server/base/protobuf-reader.ts'
import type { SpannerType } from '../../server/types/spanner-type.ts'

/** A google.protobuf.Value as plain JavaScript. */
export type Plain = null | boolean | number | string | readonly Plain[]

/** An encoded google.protobuf.Value with a string_value. */
export function textValue(text: string): Buffer {
  const content = Buffer.from(text)
  return Buffer.concat([Buffer.from([0x1a]), varint(content.length), content])
}

/** An encoded google.protobuf.Value with a null_value. */
export const NULL_VALUE: Buffer = Buffer.from([0x08, 0x00])

export function textParam(code: SpannerType['code'], text: string | null): SpannerParam {
  return { type: { code }, value: text === null ? NULL_VALUE : textValue(text) }
}

/** Decodes one google.protobuf.Value. */
export function plainValue(bytes: Buffer): Plain {
  const reader = new ProtoReader(bytes)
  const tag = reader.tag()
  switch (tag) {
    case 0x08:
      return null
    case 0x11:
      return bytes.readDoubleLE(reader.offset)
    case 0x1a:
      return reader.string()
    case 0x20:
      return reader.uint() !== 0
    case 0x32: {
      const list = reader.message()
      const values: Plain[] = []
      while (list.hasMore) {
        if (list.uint() !== 0x0a) throw new Error('not a ListValue')
        values.push(plainValue(list.bytes()))
      }
      return values
    }
    default:
      throw new Error(`unexpected tag ${tag}`)
  }
}

export interface Drained {
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly (readonly Plain[])[]
  readonly rowCount: bigint | undefined
}

/** Reads a stream to its end. */
export async function drain(stream: RowStream): Promise<Drained> {
  const columns = await stream.columns()
  const rows: Plain[][] = []
  for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
    for (let row = 0; row < batch.rowCount; row++) {
      const cells: Plain[] = []
      for (let column = 0; column < batch.columnCount; column++) {
        const at = row * batch.columnCount + column
        cells.push(plainValue(batch.bytes.subarray(batch.starts[at], batch.ends[at])))
      }
      rows.push(cells)
    }
  }
  return { columns, rows, rowCount: stream.rowCount() }
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) | 0x80)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}
