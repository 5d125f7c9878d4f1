/** The message under which PostgreSQL logs what debug_print_parse asks for (src/backend/tcop/postgres.c, parse_analyze). */
export const TREE_MESSAGE = /^parse tree:?$/

/** For the one Parse that follows; the end of the transaction or savepoint takes them back, or {@link PRINT_NOTHING}. */
export const PRINT_TREE = [
  'SET LOCAL debug_print_parse = on',
  'SET LOCAL debug_pretty_print = off',
  'SET LOCAL client_min_messages = log',
] as const

/** The end of it. */
export const PRINT_NOTHING = [
  'SET LOCAL client_min_messages = error',
  'SET LOCAL debug_print_parse = off',
] as const
