import type { FormatSettings } from './format-settings.ts'

/**
 * How Spanner holds a PostgreSQL type that it has nothing like: as a text, or an integer, of our own making. That is the stored form
 * of a value; every value has exactly one.
 */
export interface TypeForm {
  /** The type of Spanner's columns. */
  readonly storedAs: 'character varying' | 'bigint'
  /** What a comparison of stored forms says as PostgreSQL says it of the values: nothing, whether they are equal, also which comes first. */
  readonly keeps: 'nothing' | 'equality' | 'order'
  /**
   * The stored form of a text that the type's output function prints under DEFAULT_FORMAT_SETTINGS, and that its input function
   * reads alike under all others. Undefined for every other text: PostgreSQL is to be asked what it means.
   */
  readonly store: (text: string) => string | undefined
  /** What the input function reads, under every setting; left out where that is the stored form. */
  readonly input?: (stored: string) => string
  /** Whether a value may stand in a column with a modifier as it is; left out where the input function sees to it. */
  readonly fits?: (stored: string, typmod: number) => boolean
  /** The receive function, to the stored form. `leftOver` is the message about bytes that are left over. */
  readonly receive: (bytes: Buffer, leftOver: string) => string
  /** The output function, from the stored form; undefined where it is the form of no value. */
  readonly print: (stored: string, settings: FormatSettings) => string | undefined
  /** The send function, in the same way. */
  readonly send: (stored: string) => Buffer | undefined
  /** What the output function prints of a Datum; undefined where the bytes are none. */
  readonly datumText: (bytes: Buffer) => string | undefined
}
