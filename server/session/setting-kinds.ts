import { durationMs } from './session-defaults.ts'

/** The values that a setting takes, and how SHOW writes them. */
export interface SettingKind {
  /** What SHOW gives for a value as it was set; undefined where there is no such value. */
  readonly canonical: (value: string) => string | undefined
  /** For who set another one, as PostgreSQL says it: that it is a Boolean, or which values there are. */
  readonly expected?: 'boolean' | readonly string[]
}

/** A setting that PostgreSQL 15 does not have. */
export interface OwnSetting extends SettingKind {
  readonly name: string
  readonly defaultValue: string
  /** Told to the client, not set by it. */
  readonly isReadOnly?: boolean
  /** The only value that Spanwire has; the others are 0A000. */
  readonly only?: string
  /** One sentence for docs/settings.md. */
  readonly help: string
}

/** src/backend/utils/adt/bool.c, parse_bool. */
export const BOOLEAN: SettingKind = {
  expected: 'boolean',
  canonical: (value) => {
    if (/^(on|t|tr|tru|true|y|ye|yes|1)$/i.test(value)) return 'on'
    return /^(off|of|f|fa|fal|fals|false|n|no|0)$/i.test(value) ? 'off' : undefined
  },
}

export const ANYTHING: SettingKind = { canonical: (value) => value }

/** A number from 0 to 999,999,999. */
export const COUNT: SettingKind = {
  canonical: (value) => (/^\d{1,9}$/.test(value) ? value : undefined),
}

/** One of some words, in whichever case; shown as it stands here. */
export function oneOf(...words: readonly string[]): SettingKind {
  return {
    expected: words,
    canonical: (value) => words.find((word) => word.toLowerCase() === value.toLowerCase()),
  }
}

const NUMBER_WITH_UNIT = String.raw`\d+(?:s|ms|us|ns)`
const RFC_3339 = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)`

/** `10s`, `5ms`, `3us`, `2ns`, or NULL. Upper case would change a unit: the text stays as it was set. */
export const SPANNER_DURATION: SettingKind = {
  canonical: (value) => {
    if (value.toUpperCase() === 'NULL') return 'NULL'
    return new RegExp(`^${NUMBER_WITH_UNIT}$`).test(value) ? value : undefined
  },
}

/** The five forms of spanner.read_only_staleness. */
export const STALENESS: SettingKind = {
  canonical: (value) => {
    const [form = '', argument = ''] = value.trim().split(/\s+/)
    switch (form.toUpperCase()) {
      case 'STRONG':
        return argument === '' ? 'STRONG' : undefined
      case 'EXACT_STALENESS':
      case 'MAX_STALENESS':
        return new RegExp(`^${NUMBER_WITH_UNIT}$`).test(argument)
          ? `${form.toUpperCase()} ${argument}`
          : undefined
      default:
        return new RegExp(`^(?:MIN_)?READ_TIMESTAMP\\s+${RFC_3339}$`, 'i').test(value.trim())
          ? value.trim().toUpperCase().replace(/\s+/, ' ')
          : undefined
    }
  },
}

/** As PostgreSQL takes and shows a time whose unit is ms (src/backend/utils/misc/guc.c, parse_int and convert_int_from_base_unit). */
export const MILLISECONDS: SettingKind = {
  canonical: (value) => {
    const text = value.trim()
    if (!/^\d{1,10}(?:\.\d+)?\s*(?:us|ms|s|min|h|d)?$/.test(text)) return undefined
    const ms = Math.round(durationMs(text.replace(/\s/, '')))
    if (ms > 2_147_483_647) return undefined
    const unit = SHOWN_UNITS.find(([, size]) => ms % size === 0)
    return ms === 0 || unit === undefined ? String(ms) : `${ms / unit[1]}${unit[0]}`
  },
}

const SHOWN_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
}

/** Of `16MB`; undefined for what is no size (src/backend/utils/misc/guc.c, parse_int). */
export function sizeInBytes(value: string): number | undefined {
  const match = /^(\d{1,9})(B|kB|MB|GB)$/.exec(value)
  return match === null ? undefined : Number(match[1]) * (SIZE_UNITS[match[2] ?? 'B'] ?? 1)
}
