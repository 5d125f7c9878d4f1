import type { Profile } from './profile.ts'

/*
 * The operators of Spanner's PostgreSQL dialect ("Operators in PostgreSQL-dialect databases"; measured on the emulator), as database-names.ts
 * writes them: whole numbers are bigint, texts text.
 */

const COMPARISONS = ['=', '<>', '<', '<=', '>', '>='] as const
/** Types whose values are compared with each other. */
const COMPARED = [
  'bigint',
  'boolean',
  'bytea',
  'date',
  'double precision',
  'name',
  'numeric',
  'oid',
  'real',
  'text',
  'timestamp with time zone',
]
const COMPARED_IN_PRODUCTION = ['uuid', 'interval']
const MIXED = [
  ['real', 'double precision'],
  ['double precision', 'real'],
  ['name', 'text'],
  ['text', 'name'],
] as const

const OTHERS = [
  ...['bigint', 'double precision', 'numeric', 'real'].flatMap((type) => [
    ...['+', '-', '*', '/'].map((sign) => `${type} ${sign} ${type}`),
    `- ${type}`,
    `+ ${type}`,
    `@ ${type}`,
  ]),
  ...MIXED.slice(0, 2).flatMap(([left, right]) =>
    ['+', '-', '*', '/'].map((sign) => `${left} ${sign} ${right}`),
  ),
  ...['%', '&', '|', '#', '<<', '>>'].map((sign) => `bigint ${sign} bigint`),
  ...[
    'numeric % numeric',
    '~ bigint',
    '|/ double precision',
    'double precision ^ double precision',
  ],
  ...['text || text', 'bytea || bytea', 'anycompatiblearray || anycompatiblearray'],
  ...['text ~ text', 'text !~ text', 'text ~~ text', 'text !~~ text', 'text ^@ text'],
  ...[
    'bytea ~~ bytea',
    'bytea !~~ bytea',
    'name ~~ text',
    'name !~~ text',
    'name ~ text',
    'name !~ text',
  ],
  ...['date + bigint', 'bigint + date', 'date - bigint', 'date - date'],
  ...['jsonb -> bigint', 'jsonb -> text', 'jsonb ->> bigint', 'jsonb ->> text'],
  ...['&&', '<@', '@>'].flatMap((sign) =>
    ['anyarray', 'bigint[]', 'text[]'].map((type) => `${type} ${sign} ${type}`),
  ),
]

const IN_PRODUCTION = [
  ...['jsonb || jsonb', 'jsonb - text', 'jsonb - bigint', 'jsonb - text[]', 'jsonb #- text[]'],
  ...['jsonb @> jsonb', 'jsonb <@ jsonb', 'jsonb ? text', 'jsonb ?| text[]', 'jsonb ?& text[]'],
  ...['interval + interval', 'interval - interval', 'interval * double precision', '- interval'],
  ...['double precision * interval', 'interval / double precision'],
  ...['timestamp with time zone + interval', 'interval + timestamp with time zone'],
  ...['timestamp with time zone - interval', 'timestamp with time zone - timestamp with time zone'],
]

function comparisons(types: readonly string[]): string[] {
  return types.flatMap((type) => COMPARISONS.map((sign) => `${type} ${sign} ${type}`))
}

/** The operators that a profile takes. */
export function acceptedOperators(profile: Profile): ReadonlySet<string> {
  const mixed = MIXED.flatMap(([left, right]) =>
    COMPARISONS.map((sign) => `${left} ${sign} ${right}`),
  )
  const everywhere = [...comparisons(COMPARED), ...mixed, ...OTHERS]
  if (profile !== 'production') return new Set(everywhere)
  return new Set([...everywhere, ...comparisons(COMPARED_IN_PRODUCTION), ...IN_PRODUCTION])
}
