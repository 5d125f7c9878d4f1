import { Bug } from '../base/pg-error.ts'
import type { NodeObject, NodeValue } from './node-text.ts'

/**
 * Typed access to the fields of one node. A field that PostgreSQL's version does not print reads as its zero value
 * (0, false, absent, empty), as makeNode would leave it; a field of another form than asked for is a Bug.
 */
export class NodeFields {
  readonly tag: string
  readonly #fields: ReadonlyMap<string, NodeValue>

  constructor(node: NodeObject) {
    this.tag = node.tag
    this.#fields = node.fields
  }

  has(name: string): boolean {
    return this.#fields.get(name) !== undefined
  }

  int(name: string): number {
    const text = this.text(name)
    if (text === undefined) return 0
    return toInt(text)
  }

  bool(name: string): boolean {
    return this.text(name) === 'true'
  }

  text(name: string): string | undefined {
    const value = this.#fields.get(name)
    if (value === undefined) return undefined
    if (value.kind !== 'atom') throw new Bug(`${this.tag}.${name} is a ${value.kind}`)
    return value.text
  }

  bytes(name: string): Buffer | undefined {
    const value = this.#fields.get(name)
    if (value === undefined) return undefined
    if (value.kind !== 'datum') throw new Bug(`${this.tag}.${name} is a ${value.kind}`)
    return value.bytes
  }

  /** Where the statement's text has it: a byte offset, -1 where unknown. */
  location(): number {
    return this.has('location') ? this.int('location') : -1
  }

  object(name: string): NodeObject | undefined {
    const value = this.#fields.get(name)
    return value === undefined ? undefined : asObject(value, `${this.tag}.${name}`)
  }

  items(name: string): readonly NodeValue[] {
    return asItems(this.#fields.get(name), `${this.tag}.${name}`)
  }

  objects(name: string): readonly NodeObject[] {
    return this.items(name).map((item) => asObject(item, `${this.tag}.${name}`))
  }

  ints(name: string): readonly number[] {
    return this.texts(name).map(toInt)
  }

  texts(name: string): readonly string[] {
    return this.items(name).map((item) => {
      if (item?.kind !== 'atom')
        throw new Bug(`${this.tag}.${name} holds a ${item?.kind ?? 'null'}`)
      return item.text
    })
  }
}

/** The elements of a list; NIL is printed as an absent value. */
export function asItems(value: NodeValue, where: string): readonly NodeValue[] {
  if (value === undefined) return []
  if (value.kind !== 'list') throw new Bug(`${where} is a ${value.kind}`)
  return value.items
}

/** A value that must be a node. */
export function asObject(value: NodeValue, where: string): NodeObject {
  if (value?.kind !== 'object') throw new Bug(`${where} is a ${value?.kind ?? 'null'}`)
  return value
}

function toInt(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new Bug(`${text} is no integer of a node`)
  return value
}
