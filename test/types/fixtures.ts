import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FormatSettings } from '../../server/types/format-settings.ts'
import type { PgType } from '../../server/types/pg-type.ts'

/** A value as Spanner's JSON has it. */
export type SpannerJson = null | boolean | number | string | readonly SpannerJson[]

/** One value under one set of settings: as Spanner sends it, as PostgreSQL prints it, as PostgreSQL sends it. */
export interface OutputFixture {
  readonly typeOid: number
  readonly typmod: number
  /** Index into `Fixtures.settings`. */
  readonly settings: number
  readonly spanner: SpannerJson
  readonly text: string
  /** Hexadecimal. */
  readonly binary: string
}

/** A literal as a Const of the parse tree holds it. */
export interface DatumFixture {
  readonly literal: string
  readonly typeOid: number
  readonly lengthBytes: number
  readonly byValue: boolean
  /** Hexadecimal. */
  readonly bytes: string
  readonly text: string
}

export interface Fixtures {
  readonly version: string
  /** Rows of pg_type for the OIDs that pg-type.ts names. */
  readonly types: readonly PgType[]
  readonly settings: readonly FormatSettings[]
  readonly output: readonly OutputFixture[]
  readonly datums: readonly DatumFixture[]
}

/** Beside the sources: tests run from dist/test/types. */
export const FIXTURES_PATH = fileURLToPath(
  new URL('../../../test/types/fixtures.json', import.meta.url),
)

/** What make-fixtures.ts wrote. */
export function loadFixtures(): Fixtures {
  return JSON.parse(readFileSync(FIXTURES_PATH, 'utf8'))
}
