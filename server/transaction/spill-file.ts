import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'

/** Where a value lies in a {@link SpillFile}. */
export interface SpilledValue {
  readonly offset: number
  readonly length: number
}

/**
 * Values that have outgrown memory, in a file of the temporary folder that nobody else can open: its name is gone before
 * anything is written. Calls are synchronous, for they are rare and small against what else such a transaction does.
 */
export class SpillFile {
  readonly #descriptor: number
  #length = 0

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), 'spanwire-log-'))
    try {
      this.#descriptor = openSync(join(directory, 'log'), 'wx+', 0o600)
    } finally {
      rmSync(directory, { recursive: true })
    }
  }

  get sizeBytes(): number {
    return this.#length
  }

  /** Plain objects, buffers, bigints. */
  write(value: unknown): SpilledValue {
    const bytes = serialize(value)
    const place = { offset: this.#length, length: bytes.length }
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, this.#length + done)
    }
    this.#length += bytes.length
    return place
  }

  read({ offset, length }: SpilledValue): unknown {
    const bytes = Buffer.alloc(length)
    for (let done = 0; done < length; ) {
      const count = readSync(this.#descriptor, bytes, done, length - done, offset + done)
      if (count === 0) throw new Error('the log of a transaction was cut short')
      done += count
    }
    return deserialize(bytes)
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}
