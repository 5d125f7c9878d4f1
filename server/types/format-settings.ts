/** The settings of a session that change how values read as text (manual, section 20.11.2). */
export interface FormatSettings {
  /** As SHOW prints it: `ISO, MDY`. */
  readonly dateStyle: string
  /** As SHOW prints it: `postgres`, `iso_8601` ... */
  readonly intervalStyle: string
  /** As SHOW prints it: an IANA name or a POSIX specification such as `<+02>-02`. */
  readonly timeZone: string
  readonly byteaOutput: 'hex' | 'escape'
  /** -15 to 3; above 0 means the shortest text that reads back as the same number. */
  readonly extraFloatDigits: number
}

/** PostgreSQL's own defaults, with UTC as the zone: the canonical text of a value is its text under these. */
export const DEFAULT_FORMAT_SETTINGS: FormatSettings = {
  dateStyle: 'ISO, MDY',
  intervalStyle: 'postgres',
  timeZone: 'UTC',
  byteaOutput: 'hex',
  extraFloatDigits: 1,
}

/** The two halves of DateStyle. */
export interface DateStyle {
  readonly style: 'iso' | 'sql' | 'postgres' | 'german'
  /** Whether days come before months, where the style asks for it: YMD prints as MDY does. */
  readonly dayFirst: boolean
}

/** Reads a DateStyle as SHOW prints it; words it does not know leave the default, ISO with months first. */
export function parseDateStyle(text: string): DateStyle {
  const words = text.toLowerCase().split(/[\s,]+/)
  const style = (['sql', 'postgres', 'german'] as const).find((word) => words.includes(word))
  return { style: style ?? 'iso', dayFirst: words.includes('dmy') }
}
