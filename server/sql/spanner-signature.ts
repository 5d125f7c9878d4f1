import type { Need } from './dialect.ts'

/*
 * What Spanner's PostgreSQL dialect has, by signature (its manual; measured on the emulator). Two ask: the router, which pushes down what has a
 * rule in dialect-*.ts besides, and the embedded backend, which refuses what is not here. Signatures are Spanner's: whole numbers are bigint, texts text.
 */

/** What is known of a signature that Spanner has. */
export interface SpannerSignature {
  /** The capability that a backend must have; absent: all have it. */
  readonly needs?: Need
}

export type SignatureTable = ReadonlyMap<string, SpannerSignature>

/** Signatures under the capability that they need, or under `everywhere`. */
export type SignatureLists = Readonly<Partial<Record<Need | 'everywhere', readonly string[]>>>

/** The table of such lists. */
export function signatureTable(lists: SignatureLists): SignatureTable {
  return new Map(
    Object.entries(lists).flatMap(([needs, signatures]) =>
      signatures.map((signature): [string, SpannerSignature] => [
        signature,
        needs === 'everywhere' ? {} : { needs: needs as Need },
      ]),
    ),
  )
}

/** The signatures of calls that a text lists: `abs(bigint) ceil(numeric)`. */
export function callsIn(text: string): readonly string[] {
  return text.match(/[a-z]\w*\([^)]*\)/g) ?? []
}

const SPANNER_NAMES: Readonly<Record<string, string>> = {
  integer: 'bigint',
  smallint: 'bigint',
  'character varying': 'text',
}

/** A signature, or a list of type names, of PostgreSQL's with Spanner's types in it. */
export function inSpannersTypes(text: string): string {
  return text.replace(
    /\b(?:integer|smallint|character varying)\b/g,
    (name) => SPANNER_NAMES[name] ?? name,
  )
}
