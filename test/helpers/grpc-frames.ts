import type { Readable } from 'node:stream'

/** A flag and four bytes of length. */
export const FRAME_HEAD_BYTES = 5

/** Everything that a stream brings; undefined where it was given up before its end. */
export function readAll(stream: Readable): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => resolve(Buffer.concat(chunks)))
    stream.on('close', () => resolve(undefined))
  })
}

/** The messages in whole frames of gRPC: a flag byte, four bytes of length, a message. */
export function splitFrames(body: Buffer): Buffer[] {
  const messages: Buffer[] = []
  for (let at = 0; at + FRAME_HEAD_BYTES <= body.length; ) {
    const end = frameEnd(body, at)
    messages.push(body.subarray(at + FRAME_HEAD_BYTES, end))
    at = end
  }
  return messages
}

/** A message as a frame, not compressed. */
export function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** Puts frames together from chunks that are cut anywhere. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0)

  /** The frames, heads and all, that are whole now. */
  push(chunk: Buffer): Buffer[] {
    const bytes = Buffer.concat([this.#rest, chunk])
    const frames: Buffer[] = []
    let at = 0
    while (at + FRAME_HEAD_BYTES <= bytes.length && frameEnd(bytes, at) <= bytes.length) {
      const end = frameEnd(bytes, at)
      frames.push(bytes.subarray(at, end))
      at = end
    }
    this.#rest = bytes.subarray(at)
    return frames
  }
}

function frameEnd(bytes: Buffer, at: number): number {
  return at + FRAME_HEAD_BYTES + bytes.readUInt32BE(at + 1)
}
