import { type SignatureTable, signatureTable } from './spanner-signature.ts'

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

const OF_JSONB = [
  ...['jsonb || jsonb', 'jsonb - text', 'jsonb - bigint', 'jsonb - text[]', 'jsonb #- text[]'],
  ...['jsonb @> jsonb', 'jsonb <@ jsonb', 'jsonb ? text', 'jsonb ?| text[]', 'jsonb ?& text[]'],
]

const OF_INTERVAL = [
  ...['interval + interval', 'interval - interval', 'interval * double precision', '- interval'],
  ...['double precision * interval', 'interval / double precision'],
  ...['timestamp with time zone + interval', 'interval + timestamp with time zone'],
  ...['timestamp with time zone - interval', 'timestamp with time zone - timestamp with time zone'],
]

function comparisons(types: readonly string[]): string[] {
  return types.flatMap((type) => COMPARISONS.map((sign) => `${type} ${sign} ${type}`))
}

/** Operators ("Operators in PostgreSQL-dialect databases"): `text || text`, `- bigint`. */
export const SPANNER_OPERATORS: SignatureTable = signatureTable({
  everywhere: [
    ...comparisons(COMPARED),
    ...MIXED.flatMap(([left, right]) => COMPARISONS.map((sign) => `${left} ${sign} ${right}`)),
    ...OTHERS,
  ],
  uuidType: comparisons(['uuid']),
  jsonbFunctions: OF_JSONB,
  interval: [...comparisons(['interval']), ...OF_INTERVAL],
})
