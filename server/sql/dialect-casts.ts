import type { Printer } from './dialect.ts'
import {
  CAN_FAIL,
  castTo,
  FIRST,
  form,
  INT2,
  INT4,
  type RuleFlags,
  SAYS_LESS,
  same,
} from './dialect-printers.ts'

/** Casts that PostgreSQL makes by writing the one type and reading the other: OIDs of both, their names, and Spanner's form. */
export type IoCastRow = readonly [
  from: number,
  to: number,
  signature: string,
  print: Printer,
  flags?: RuleFlags,
]

/*
 * PostgreSQL:  '0x1A'::bigint       22P02
 * Spanner:     '0x1A'::bigint       26
 */
const TO_INTEGER = form("(CASE WHEN strpos(lower($1), 'x') > 0 THEN '' ELSE $1 END)::bigint")

/** PostgreSQL reads every beginning of true, false, yes, no, on and off, and 1 and 0; Spanner reads whole words. */
const TO_BOOLEAN = form(
  "CASE WHEN lower(btrim($1, E' \\t\\n\\r\\f\\v')) IN ('t', 'tr', 'tru', 'true', 'y', 'ye', 'yes', 'on', '1') THEN true" +
    " WHEN lower(btrim($1, E' \\t\\n\\r\\f\\v')) IN ('f', 'fa', 'fal', 'fals', 'false', 'n', 'no', 'of', 'off', '0') THEN false" +
    " WHEN $1 IS NOT NULL THEN ('?' || $1)::boolean END",
)

const IN_ISO_DATES: RuleFlags = {
  ...FIRST,
  accepts: (_args, site) => site.dateStyle.startsWith('ISO'),
}

export const IO_CAST_ROWS: readonly IoCastRow[] = [
  [21, 25, 'smallint to text', castTo('text')],
  [23, 25, 'integer to text', castTo('text')],
  [20, 25, 'bigint to text', castTo('text')],
  [1700, 25, 'numeric to text', castTo('text')],
  [1082, 25, 'date to text', castTo('text'), IN_ISO_DATES],
  [3802, 25, 'jsonb to text', castTo('text')],
  [2950, 25, 'uuid to text', same],
  [3500, 25, 'anyenum to text', same],
  [21, 1043, 'smallint to varchar', castTo('text')],
  [23, 1043, 'integer to varchar', castTo('text')],
  [20, 1043, 'bigint to varchar', castTo('text')],
  [1700, 1043, 'numeric to varchar', castTo('text')],
  [1082, 1043, 'date to varchar', castTo('text'), IN_ISO_DATES],
  [3802, 1043, 'jsonb to varchar', castTo('text')],
  [2950, 1043, 'uuid to varchar', same],
  [3500, 1043, 'anyenum to varchar', same],

  [25, 20, 'text to bigint', TO_INTEGER, SAYS_LESS],
  [25, 23, 'text to integer', TO_INTEGER, { ...SAYS_LESS, ...INT4 }],
  [25, 21, 'text to smallint', TO_INTEGER, { ...SAYS_LESS, ...INT2 }],
  [25, 1700, 'text to numeric', castTo('numeric'), CAN_FAIL],
  [25, 16, 'text to boolean', TO_BOOLEAN, CAN_FAIL],
  [1043, 20, 'varchar to bigint', TO_INTEGER, SAYS_LESS],
  [1043, 23, 'varchar to integer', TO_INTEGER, { ...SAYS_LESS, ...INT4 }],
  [1043, 21, 'varchar to smallint', TO_INTEGER, { ...SAYS_LESS, ...INT2 }],
  [1043, 1700, 'varchar to numeric', castTo('numeric'), CAN_FAIL],
  [1043, 16, 'varchar to boolean', TO_BOOLEAN, CAN_FAIL],
]
