import { StatementTokens } from './statement-tokens.ts'

/** PGAdapter's words for statements that are sent to Spanner together (its page on session management commands). */
export type BatchCommand = 'START BATCH DML' | 'START BATCH DDL' | 'RUN BATCH' | 'ABORT BATCH'

const COMMANDS: readonly BatchCommand[] = [
  'START BATCH DML',
  'START BATCH DDL',
  'RUN BATCH',
  'ABORT BATCH',
]

/** One of the commands in a text; offsets are bytes (UTF-8). */
export interface BatchSpan {
  readonly command: BatchCommand
  readonly startByte: number
  readonly endByte: number
}

/** What a statement of category 'batch' says; undefined for any other. */
export function batchCommand(tag: string): BatchCommand | undefined {
  return COMMANDS.find((command) => command === tag)
}

/** The commands among the statements of a text that PostgreSQL's grammar does not take; in order. */
export function findBatchCommands(text: string): readonly BatchSpan[] {
  if (!/\bbatch\b/i.test(text)) return []
  const { tokens } = new StatementTokens(text)
  const spans: BatchSpan[] = []
  for (let first = 0; first < tokens.length; first++) {
    const semicolon = tokens.findIndex((token, at) => at >= first && token.text === ';')
    const end = semicolon < 0 ? tokens.length : semicolon
    const words = tokens.slice(first, end)
    const command = batchCommand(words.map((word) => word.text.toUpperCase()).join(' '))
    const [start, last] = [words[0], words.at(-1)]
    if (command !== undefined && start !== undefined && last !== undefined)
      spans.push({ command, startByte: start.start, endByte: last.end })
    first = end
  }
  return spans
}

/** The text with blanks where the commands were: all offsets stay. */
export function withoutBatchCommands(text: string, spans: readonly BatchSpan[]): string {
  const bytes = Buffer.from(text)
  for (const { startByte, endByte } of spans) bytes.fill(' ', startByte, endByte)
  return bytes.toString()
}
