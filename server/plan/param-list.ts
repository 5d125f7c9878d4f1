import type { SpannerType } from '../types/spanner-type.ts'
import { findStorage } from '../types/storage.ts'
import type { ParamSource, RowCountClause } from './plan.ts'
import { unstoredType } from './unstored-type.ts'

const TIMESTAMP: SpannerType = { code: 'TIMESTAMP' }

/** The parameters of a statement under construction: each source once, numbered in the order of first use. */
export class ParamList {
  readonly #sources: ParamSource[] = []

  /** `$n` for the client's parameter. */
  client(number: number, typeOid: number): string {
    const type = storageOrRefuse(typeOid)
    return this.#place({ kind: 'client', number, typeOid, type })
  }

  /** `$n` for the start of the client's transaction. */
  transactionStart(): string {
    return this.#place({ kind: 'transaction-start', type: TIMESTAMP })
  }

  /** `$n` for a value that the companion computes. */
  computed(index: number, typeOid: number): string {
    const type = storageOrRefuse(typeOid)
    return this.#place({ kind: 'computed', index, typeOid, type })
  }

  /** In the place of `param`, which was placed since the mark or before: the same value, as one that counts rows. */
  countingRows(param: string, clause: RowCountClause, mark: number): string {
    const source = this.#sources[Number(param.slice(1)) - 1]
    if (source === undefined || source.kind === 'transaction-start') return param
    this.reset(mark)
    return this.#place({ ...source, countsRows: clause })
  }

  get sources(): readonly ParamSource[] {
    return [...this.#sources]
  }

  /** What {@link reset} goes back to. */
  mark(): number {
    return this.#sources.length
  }

  /** Forgets what was placed since the mark: the SQL that used it is thrown away. */
  reset(mark: number): void {
    this.#sources.length = mark
  }

  #place(source: ParamSource): string {
    const found = this.#sources.findIndex((known) => isSameSource(known, source))
    if (found >= 0) return `$${found + 1}`
    this.#sources.push(source)
    return `$${this.#sources.length}`
  }
}

function storageOrRefuse(typeOid: number): SpannerType {
  const storage = findStorage(typeOid, -1)
  if (storage === undefined) throw unstoredType('a value', typeOid)
  return storage.type
}

function isSameSource(a: ParamSource, b: ParamSource): boolean {
  if (a.kind === 'transaction-start' || b.kind === 'transaction-start') return a.kind === b.kind
  if (a.countsRows !== b.countsRows) return false
  if (a.kind === 'client')
    return b.kind === 'client' && a.number === b.number && a.typeOid === b.typeOid
  return b.kind === 'computed' && a.index === b.index
}
