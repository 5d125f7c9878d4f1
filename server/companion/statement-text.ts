import { Bug } from '../base/pg-error.ts'

/** First words of the statements that may run on a borrowed connection. The read-only block alone does not stop PREPARE, DEALLOCATE or COMMIT. */
const READABLE = new Set(['SELECT', 'VALUES', 'TABLE', 'WITH', 'SHOW', 'EXPLAIN', 'COPY'])

/** First words that would end, or replace, the transaction of a pinned connection. */
const TRANSACTION_CONTROL = new Set(['BEGIN', 'START', 'COMMIT', 'END', 'ABORT', 'PREPARE'])

/** The first keyword in upper case, after white space, comments and parentheses; empty where there is none. */
export function firstKeyword(text: string): string {
  return /^[a-z]+/i.exec(fromFirstWord(text))?.[0].toUpperCase() ?? ''
}

/** Demands a statement that only reads. Anything else was sent to the wrong place, which is a defect of ours. */
export function demandReadable(text: string): void {
  const keyword = firstKeyword(text)
  if (keyword !== '' && !READABLE.has(keyword)) {
    throw new Bug(`a statement that begins with ${keyword} was sent to the companion as a read`)
  }
}

/** Demands a statement that leaves the pinned transaction open; ROLLBACK TO is welcome. */
export function demandWithinTransaction(text: string): void {
  const keyword = firstKeyword(text)
  const isRollbackTo = /^rollback\s+((work|transaction)\s+)?to\b/i.test(fromFirstWord(text))
  const isRollback = keyword === 'ROLLBACK' && !isRollbackTo
  if (isRollback || TRANSACTION_CONTROL.has(keyword)) {
    throw new Bug(`${keyword} was sent to a pinned connection of the companion`)
  }
}

/** Whether a statement can name a relation at all: without FROM, TABLE, JOIN or COPY there is none that its own text could read. */
export function mayNameRelation(text: string): boolean {
  return /\b(from|table|join|copy)\b/i.test(text)
}

/** The text without leading white space, parentheses and comments (nested ones too). */
function fromFirstWord(text: string): string {
  let index = 0
  for (;;) {
    while (/[\s(;]/.test(text.charAt(index)) && index < text.length) index++
    if (text.startsWith('--', index)) {
      const end = text.slice(index).search(/[\r\n]/)
      index = end < 0 ? text.length : index + end
    } else if (text.startsWith('/*', index)) {
      index = skipBlockComment(text, index)
    } else {
      return text.slice(index)
    }
  }
}

function skipBlockComment(text: string, start: number): number {
  let depth = 0
  let index = start
  do {
    if (text.startsWith('/*', index)) {
      depth++
      index += 2
    } else if (text.startsWith('*/', index)) {
      depth--
      index += 2
    } else {
      index++
    }
  } while (depth > 0 && index < text.length)
  return index
}
