import { findPgType, OID } from '../types/pg-type.ts'
import type { Printer } from './dialect.ts'
import {
  at,
  CAN_FAIL,
  type CallRow,
  call,
  castTo,
  form,
  INT2,
  INT4,
  infix,
  type RuleFlags,
  SAYS_LESS,
  typedLiteral,
} from './dialect-printers.ts'
import {
  arrayLength,
  atPath,
  containsAtTop,
  elementIndex,
  hasKey,
  isPlainPath,
  literalJson,
  literalPath,
  typeOfJson,
} from './jsonb-forms.ts'

function element(operator: '->' | '->>'): Printer {
  return (args) => `${at(args, 0)} ${operator} ${elementIndex(at(args, 0), at(args, 1))}`
}

function path(operator: '->' | '->>'): Printer {
  return (args) => atPath(at(args, 0), literalPath(at(args, 1)) ?? [], operator)
}

const BY_PLAIN_PATH: RuleFlags = { accepts: (args) => isPlainPath(literalPath(at(args, 1))) }

/** Spanner's `@>`; without it, containment of a literal is taken apart. */
const CONTAINS: RuleFlags = {
  without: (args) =>
    `CASE WHEN ${at(args, 0)} IS NULL THEN NULL ELSE ${containsAtTop(at(args, 0), literalJson(at(args, 1)) ?? null)} END`,
  acceptsWithout: (args) => literalJson(at(args, 1)) !== undefined,
}

/** Types whose jsonb is the same everywhere: no floats, and nothing that depends on a time zone. */
const PLAIN = new Set<number>([
  OID.bool,
  OID.int2,
  OID.int4,
  OID.int8,
  OID.numeric,
  OID.text,
  OID.varchar,
  OID.name,
  OID.uuid,
  OID.jsonb,
  OID.unknown,
])

function isPlainType(typeOid: number): boolean {
  return PLAIN.has(findPgType(typeOid)?.elementOid ?? typeOid)
}

const OF_PLAIN_TYPES: RuleFlags = { accepts: (_args, { argTypes }) => argTypes.every(isPlainType) }
const TYPED =
  (name: string): Printer =>
  (args) =>
    `${name}(${args.map(typedLiteral).join(', ')})`

/** Numbers of jsonb that become whole ones; `null`, texts and the like are 22023. */
const TO_NUMERIC = form(
  "CASE WHEN jsonb_typeof($1) = 'number' THEN $1::text::numeric ELSE $1::bigint::numeric END",
)

export const JSONB_OPERATORS: readonly CallRow[] = [
  [3211, 'jsonb -> text', infix('->')],
  [3477, 'jsonb ->> text', infix('->>')],
  [3212, 'jsonb -> integer', element('->')],
  [3481, 'jsonb ->> integer', element('->>')],
  [3213, 'jsonb #> text[]', path('->'), BY_PLAIN_PATH],
  [3206, 'jsonb #>> text[]', path('->>'), BY_PLAIN_PATH],
  [3247, 'jsonb ? text', infix('?'), { without: (args) => hasKey(at(args, 0), at(args, 1)) }],
  [3248, 'jsonb ?| text[]', infix('?|')],
  [3249, 'jsonb ?& text[]', infix('?&')],
  [3246, 'jsonb @> jsonb', infix('@>'), CONTAINS],
  [3250, 'jsonb <@ jsonb', infix('<@')],
  [3284, 'jsonb || jsonb', infix('||')],
  [3285, 'jsonb - text', infix('-'), CAN_FAIL],
  [3287, 'jsonb #- text[]', infix('#-'), CAN_FAIL],
]

export const JSONB_FUNCTIONS: readonly CallRow[] = [
  [3210, 'jsonb_typeof(jsonb)', (args) => typeOfJson(at(args, 0))],
  [
    3207,
    'jsonb_array_length(jsonb)',
    form(`CASE WHEN $1 IS NULL THEN NULL ELSE ${arrayLength('$1')} END`),
    SAYS_LESS,
  ],
  [
    3217,
    'jsonb_extract_path(jsonb, text[])',
    path('->'),
    { ...BY_PLAIN_PATH, takesVariadic: true },
  ],
  [
    3940,
    'jsonb_extract_path_text(jsonb, text[])',
    path('->>'),
    { ...BY_PLAIN_PATH, takesVariadic: true },
  ],
  [3787, 'to_jsonb(anyelement)', TYPED('to_jsonb'), OF_PLAIN_TYPES],
  [3219, 'jsonb_array_elements(jsonb)', call('jsonb_array_elements')],
  [3931, 'jsonb_object_keys(jsonb)', call('jsonb_object_keys')],
  [3305, 'jsonb_set(jsonb, text[], jsonb, boolean)', call('jsonb_set')],
  [3579, 'jsonb_insert(jsonb, text[], jsonb, boolean)', call('jsonb_insert'), SAYS_LESS],
  [3262, 'jsonb_strip_nulls(jsonb)', call('jsonb_strip_nulls')],
  [3271, 'jsonb_build_array("any")', TYPED('jsonb_build_array'), OF_PLAIN_TYPES],
  [3273, 'jsonb_build_object("any")', TYPED('jsonb_build_object'), OF_PLAIN_TYPES],

  // Casts of jsonb.
  [3449, 'numeric(jsonb)', TO_NUMERIC, SAYS_LESS],
  [3452, 'int8(jsonb)', castTo('bigint'), CAN_FAIL],
  [3451, 'int4(jsonb)', castTo('bigint'), { ...CAN_FAIL, ...INT4 }],
  [3450, 'int2(jsonb)', castTo('bigint'), { ...CAN_FAIL, ...INT2 }],
  [2580, 'float8(jsonb)', castTo('double precision'), CAN_FAIL],
  [3556, 'bool(jsonb)', castTo('boolean'), CAN_FAIL],
]
