import type { RawNode } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

export type CursorCommand =
  | {
      readonly kind: 'declare'
      readonly name: string
      readonly binary: boolean
      /** SCROLL, NO SCROLL; undefined: neither was said. */
      readonly scroll: boolean | undefined
      readonly hold: boolean
      /** The query behind FOR, as written. */
      readonly text: string
      /** Characters before it in the DECLARE, as PostgreSQL counts them. */
      readonly textOffset: number
      /** Its raw tree; its locations are byte offsets into the whole DECLARE. */
      readonly query: RawNode
    }
  | {
      readonly kind: 'fetch' | 'move'
      readonly name: string
      readonly direction: 'forward' | 'backward' | 'absolute' | 'relative'
      /** Rows for forward and backward (0: the current row again; 'all'), a row number for absolute and relative. */
      readonly count: number | 'all'
    }
  /** `name` undefined: ALL. */
  | { readonly kind: 'close'; readonly name: string | undefined }

/** Bits of DeclareCursorStmt.options (src/include/nodes/parsenodes.h). */
const CURSOR_BINARY = 0x0001
const CURSOR_SCROLL = 0x0002
const CURSOR_NO_SCROLL = 0x0004
const CURSOR_HOLD = 0x0020

/** FETCH_ALL is LONG_MAX, which on the parser's 32-bit platform is this. */
const FETCH_ALL = 2_147_483_647

const DIRECTIONS = {
  FETCH_FORWARD: 'forward',
  FETCH_BACKWARD: 'backward',
  FETCH_ABSOLUTE: 'absolute',
  FETCH_RELATIVE: 'relative',
} as const

/** What a statement of category 'cursor' says; undefined for any other. */
export function cursorCommand(text: string, node: RawNode): CursorCommand | undefined {
  if ('ClosePortalStmt' in node) return { kind: 'close', name: node.ClosePortalStmt.portalname }
  if ('FetchStmt' in node) {
    const { direction = 'FETCH_FORWARD', howMany = 0, portalname = '', ismove } = node.FetchStmt
    return {
      kind: ismove === true ? 'move' : 'fetch',
      name: portalname,
      direction: DIRECTIONS[direction],
      count: Number(howMany) === FETCH_ALL ? 'all' : Number(howMany),
    }
  }
  if (!('DeclareCursorStmt' in node)) return undefined
  const { portalname = '', options = 0, query } = node.DeclareCursorStmt
  if (query === undefined) return undefined
  const source = new StatementTokens(text)
  const start = source.tokens[source.find('for', 0) + 1]?.start ?? source.endByte
  return {
    kind: 'declare',
    name: portalname,
    binary: (options & CURSOR_BINARY) !== 0,
    scroll:
      (options & CURSOR_SCROLL) !== 0
        ? true
        : (options & CURSOR_NO_SCROLL) !== 0
          ? false
          : undefined,
    hold: (options & CURSOR_HOLD) !== 0,
    text: source.slice(start, source.endByte),
    textOffset: [...source.slice(0, start)].length,
    query,
  }
}
