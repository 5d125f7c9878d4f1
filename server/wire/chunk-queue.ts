/** Chunks below this size are gathered, so that a peer that sends byte by byte cannot make us hold an object for each byte. */
const SMALL_CHUNK_SIZE_BYTES = 4096
const GATHER_BLOCK_SIZE_BYTES = 16384

const NOTHING = Buffer.alloc(0)

/**
 * Bytes as they came from a socket, taken off the front in frames. A frame that lies within one chunk is a view of it; one that
 * spans chunks is joined once, when it is complete.
 */
export class ChunkQueue {
  readonly #chunks: Buffer[] = []
  /** Offset of the first byte that was not taken, in the first chunk. */
  #offset = 0
  #length = 0
  /** Unused end of the block in which the last chunk lies, if we allocated that block. */
  #room: Buffer | undefined

  /** Bytes that wait. */
  get length(): number {
    return this.#length
  }

  /** The queue keeps a reference to `chunk`, which the caller may not write to any more. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    const isPartOfFrame = this.#length > 0
    this.#length += chunk.length
    if (isPartOfFrame && chunk.length < SMALL_CHUNK_SIZE_BYTES) {
      this.#gather(chunk)
    } else {
      this.#room = undefined
      this.#chunks.push(chunk)
    }
  }

  /** The byte at `index` from the front; it must be there. */
  uint8(index: number): number {
    let position = this.#offset + index
    for (const chunk of this.#chunks) {
      if (position < chunk.length) return chunk.readUInt8(position)
      position -= chunk.length
    }
    throw new RangeError('byte is not in the queue')
  }

  /** The big-endian signed integer at `index` from the front; its four bytes must be there. */
  int32(index: number): number {
    const first = this.#chunks[0]
    const position = this.#offset + index
    if (first !== undefined && position + 4 <= first.length) return first.readInt32BE(position)
    return (
      (this.uint8(index) << 24) |
      (this.uint8(index + 1) << 16) |
      (this.uint8(index + 2) << 8) |
      this.uint8(index + 3)
    )
  }

  /** Whether the bytes that wait end with `suffix`. */
  endsWith(suffix: Uint8Array): boolean {
    const start = this.#length - suffix.length
    return start >= 0 && suffix.every((byte, index) => this.uint8(start + index) === byte)
  }

  /** Takes the first `sizeBytes` bytes; they must be there. */
  take(sizeBytes: number): Buffer {
    if (sizeBytes > this.#length) throw new RangeError('bytes are not in the queue')
    this.#length -= sizeBytes
    const first = this.#chunks[0]
    if (first === undefined || sizeBytes === 0) return NOTHING
    const end = this.#offset + sizeBytes
    if (end <= first.length) {
      const taken = first.subarray(this.#offset, end)
      this.#offset = end
      if (end === first.length) this.#dropFirst(1)
      return taken
    }
    return this.#join(sizeBytes)
  }

  /** Drops the first `sizeBytes` bytes; they must be there. */
  skip(sizeBytes: number): void {
    const end = this.#offset + sizeBytes
    if (end < (this.#chunks[0]?.length ?? 0)) {
      this.#offset = end
      this.#length -= sizeBytes
    } else {
      this.take(sizeBytes)
    }
  }

  #join(sizeBytes: number): Buffer {
    const joined = Buffer.allocUnsafeSlow(sizeBytes)
    let filled = 0
    let index = 0
    for (const chunk of this.#chunks) {
      const copied = chunk.copy(joined, filled, this.#offset, this.#offset + sizeBytes - filled)
      filled += copied
      this.#offset += copied
      if (this.#offset < chunk.length) break
      this.#offset = 0
      index += 1
    }
    const offset = this.#offset
    if (index > 0) this.#dropFirst(index)
    this.#offset = offset
    return joined
  }

  #dropFirst(count: number): void {
    this.#chunks.splice(0, count)
    this.#offset = 0
    if (this.#chunks.length === 0) this.#room = undefined
  }

  /** Appends a copy of `chunk` to the last chunk's block, or to a new block. */
  #gather(chunk: Buffer): void {
    const last = this.#chunks.at(-1)
    if (this.#room === undefined || this.#room.length < chunk.length || last === undefined) {
      const block = Buffer.allocUnsafeSlow(GATHER_BLOCK_SIZE_BYTES)
      chunk.copy(block)
      this.#chunks.push(block.subarray(0, chunk.length))
      this.#room = block.subarray(chunk.length)
      return
    }
    chunk.copy(this.#room)
    this.#chunks[this.#chunks.length - 1] = Buffer.from(
      last.buffer,
      last.byteOffset,
      last.length + chunk.length,
    )
    this.#room = this.#room.subarray(chunk.length)
  }
}
