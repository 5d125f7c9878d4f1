import { type CallRow, form, infix, same } from './dialect-printers.ts'

/*
 * inet and cidr are stored as `address/bits`, the hardware addresses in hexadecimal (types/network-form.ts,
 * types/hardware-address-form.ts). Texts of the former do not sort as the addresses do.
 */

export const NETWORK_OPERATORS: readonly CallRow[] = [
  [1201, 'inet = inet', infix('=')],
  [1202, 'inet <> inet', infix('<>')],
  [1220, 'macaddr = macaddr', infix('=')],
  [1221, 'macaddr <> macaddr', infix('<>')],
  [1222, 'macaddr < macaddr', infix('<')],
  [1223, 'macaddr <= macaddr', infix('<=')],
  [1224, 'macaddr > macaddr', infix('>')],
  [1225, 'macaddr >= macaddr', infix('>=')],
  [3362, 'macaddr8 = macaddr8', infix('=')],
  [3363, 'macaddr8 <> macaddr8', infix('<>')],
  [3364, 'macaddr8 < macaddr8', infix('<')],
  [3365, 'macaddr8 <= macaddr8', infix('<=')],
  [3366, 'macaddr8 > macaddr8', infix('>')],
  [3367, 'macaddr8 >= macaddr8', infix('>=')],
]

export const NETWORK_FUNCTIONS: readonly CallRow[] = [
  [730, 'text(inet)', same],
  [699, 'host(inet)', form("substr($1, 1, strpos($1, '/') - 1)")],
  [697, 'masklen(inet)', form("substr($1, strpos($1, '/') + 1)::bigint")],
  [
    711,
    'family(inet)',
    form("CASE WHEN strpos($1, ':') > 0 THEN 6 WHEN $1 IS NOT NULL THEN 4 END"),
  ],
]
