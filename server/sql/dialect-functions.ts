import { ARRAY_FUNCTIONS } from './dialect-arrays.ts'
import { DATETIME_FUNCTIONS } from './dialect-datetime.ts'
import { JSONB_FUNCTIONS } from './dialect-jsonb.ts'
import { NETWORK_FUNCTIONS } from './dialect-network.ts'
import { NUMBER_FUNCTIONS } from './dialect-numbers.ts'
import type { CallRow } from './dialect-printers.ts'
import { TEXT_FUNCTIONS } from './dialect-text.ts'

/** The functions of the allow-list, and the casts that are functions. */
export const FUNCTION_ROWS: readonly CallRow[] = [
  ...NUMBER_FUNCTIONS,
  ...TEXT_FUNCTIONS,
  ...DATETIME_FUNCTIONS,
  ...ARRAY_FUNCTIONS,
  ...JSONB_FUNCTIONS,
  ...NETWORK_FUNCTIONS,
]
