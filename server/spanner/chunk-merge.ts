import { MalformedMessage, ProtoReader } from '../base/protobuf-reader.ts'
import { ProtoWriter, varintSizeBytes } from '../base/protobuf-writer.ts'

const STRING_VALUE = 0x1a
const LIST_VALUE = 0x32

/**
 * Puts the chunks of one google.protobuf.Value together (PartialResultSet.chunked_value): strings are concatenated; lists too,
 * and where the last element of one and the first of the next are both strings or both lists, those two are one value cut in
 * two. Numbers, booleans and nulls are never cut.
 */
export function mergeChunks(chunks: readonly Buffer[]): Buffer {
  const first = chunks[0]
  if (first === undefined) throw new MalformedMessage('no chunk')
  if (chunks.length === 1) return first
  const kind = first[0]
  if (kind === STRING_VALUE) {
    return wrap(STRING_VALUE, Buffer.concat(chunks.map((chunk) => payload(chunk, STRING_VALUE))))
  }
  if (kind === LIST_VALUE) {
    return wrap(LIST_VALUE, mergeLists(chunks.map((chunk) => payload(chunk, LIST_VALUE))))
  }
  throw new MalformedMessage('a chunked value that is neither string nor list')
}

/** google.protobuf.ListValue: values = 1. */
function mergeLists(lists: readonly Buffer[]): Buffer {
  const writer = new ProtoWriter(lists.reduce((size, list) => size + list.length, 16))
  let open: Buffer[] = []
  const close = (): void => {
    if (open.length > 0) writer.message(1, mergeChunks(open))
    open = []
  }
  for (const list of lists) {
    elements(list).forEach((element, index) => {
      if (index > 0 || !continues(open[0], element)) close()
      open.push(element)
    })
  }
  close()
  return writer.take()
}

function continues(open: Buffer | undefined, element: Buffer): boolean {
  const kind = open?.[0]
  return (kind === STRING_VALUE || kind === LIST_VALUE) && element[0] === kind
}

function elements(list: Buffer): Buffer[] {
  const reader = new ProtoReader(list)
  const found: Buffer[] = []
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) found.push(reader.bytes())
    else reader.skip(tag)
  }
  return found
}

function payload(value: Buffer, tag: number): Buffer {
  const reader = new ProtoReader(value)
  if (reader.uint() !== tag) throw new MalformedMessage('chunks of one value differ in kind')
  return reader.bytes()
}

function wrap(tag: number, content: Buffer): Buffer {
  return new ProtoWriter(content.length + 1 + varintSizeBytes(content.length))
    .varint(tag)
    .varint(content.length)
    .raw(content)
    .take()
}
