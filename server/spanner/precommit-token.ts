import { ProtoReader } from '../base/protobuf-reader.ts'

/**
 * The token that a Commit on a multiplexed session must show: of all that came with the answers to one attempt, the one with the
 * highest seq_num (google.spanner.v1.MultiplexedSessionPrecommitToken). Answers may overtake each other.
 */
export class PrecommitToken {
  #bytes: Buffer | undefined
  #seqNum = -1

  /** Encoded, as it came. */
  get current(): Buffer | undefined {
    return this.#bytes
  }

  /** Undefined where an answer came without one. Throws MalformedMessage. */
  note(bytes: Buffer | undefined): void {
    if (bytes === undefined) return
    const seqNum = readSeqNum(new ProtoReader(bytes))
    if (seqNum < this.#seqNum) return
    this.#bytes = bytes
    this.#seqNum = seqNum
  }
}

/** MultiplexedSessionPrecommitToken.seq_num = 2. */
function readSeqNum(reader: ProtoReader): number {
  let seqNum = 0
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x10) seqNum = reader.uint()
    else reader.skip(tag)
  }
  return seqNum
}
