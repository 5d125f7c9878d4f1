import { numericDatumText } from './datum-numeric.ts'
import { jsonArrayText, jsonObjectText, jsonStringText } from './jsonb-text.ts'
import { readVarlena } from './varlena.ts'

/*
 * jsonb as it lies in memory (src/include/utils/jsonb.h). A container is a header (count of elements or pairs, and flags), one
 * JEntry for each element (of an object: all keys, then all values), and their data. A JEntry holds a type and either the
 * length of its data or the offset of their end; numerics and containers begin at multiples of four.
 */

const COUNT_MASK = 0x0fffffff
const IS_SCALAR = 0x10000000
const IS_OBJECT = 0x20000000
const IS_ARRAY = 0x40000000

const OFFSET_OR_LENGTH = 0x0fffffff
const TYPE_MASK = 0x70000000
const HAS_OFFSET = 0x80000000

const TYPE_STRING = 0x00000000
const TYPE_NUMERIC = 0x10000000
const TYPE_FALSE = 0x20000000
const TYPE_TRUE = 0x30000000
const TYPE_NULL = 0x40000000
const TYPE_CONTAINER = 0x50000000

const MAX_DEPTH = 1000

/** jsonb_out of a jsonb without its varlena header; undefined where it is malformed or deeper than 1,000 levels. */
export function jsonbDatumText(data: Buffer): string | undefined {
  return containerText(data, 0)
}

interface Entry {
  readonly type: number
  readonly data: Buffer
}

function containerText(container: Buffer, depth: number): string | undefined {
  if (container.length < 4 || depth > MAX_DEPTH) return undefined
  const header = container.readUInt32LE(0)
  const count = header & COUNT_MASK
  const isObject = (header & IS_OBJECT) !== 0
  const entries = readEntries(container, isObject ? count * 2 : count)
  if (entries === undefined) return undefined
  const texts: string[] = []
  for (const entry of isObject ? entries.slice(count) : entries) {
    const text = entryText(entry, depth)
    if (text === undefined) return undefined
    texts.push(text)
  }
  if (isObject) return jsonObjectText(entries.slice(0, count).map(keyOf(texts)))
  if ((header & IS_ARRAY) === 0) return undefined
  return (header & IS_SCALAR) !== 0 ? texts[0] : jsonArrayText(texts)
}

function keyOf(texts: readonly string[]) {
  return (key: Entry, i: number) => [key.data.toString('utf8'), texts[i] ?? ''] as const
}

function readEntries(container: Buffer, count: number): Entry[] | undefined {
  const base = 4 + 4 * count
  if (base > container.length) return undefined
  const entries: Entry[] = []
  let offset = 0
  for (let i = 0; i < count; i++) {
    const entry = container.readUInt32LE(4 + 4 * i)
    const size = entry & OFFSET_OR_LENGTH
    const end = (entry & HAS_OFFSET) !== 0 ? size : offset + size
    if (end < offset || base + end > container.length) return undefined
    const type = entry & TYPE_MASK
    const isAligned = type === TYPE_NUMERIC || type === TYPE_CONTAINER
    const start = isAligned ? (offset + 3) & ~3 : offset
    entries.push({ type, data: container.subarray(base + start, base + Math.max(start, end)) })
    offset = end
  }
  return entries
}

function entryText({ type, data }: Entry, depth: number): string | undefined {
  switch (type) {
    case TYPE_STRING:
      return jsonStringText(data.toString('utf8'))
    case TYPE_NUMERIC: {
      const numeric = readVarlena(data, 0)
      return numeric === undefined ? undefined : numericDatumText(numeric.data)
    }
    case TYPE_FALSE:
      return 'false'
    case TYPE_TRUE:
      return 'true'
    case TYPE_NULL:
      return 'null'
    case TYPE_CONTAINER:
      return containerText(data, depth + 1)
    default:
      return undefined
  }
}
