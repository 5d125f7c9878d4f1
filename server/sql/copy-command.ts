import {
  optionIsOn,
  optionsOf,
  optionText,
  type RawBody,
  type RawNode,
  stringOf,
} from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

/** What COPY says (manual, COPY). */
export interface CopyCommand {
  readonly direction: 'from' | 'to'
  /** The client itself (STDIN, STDOUT), a file of the server, or a program there. */
  readonly endpoint: 'client' | 'file' | 'program'
  /** undefined: a query is copied. */
  readonly table: CopyTable | undefined
  /** The query in parentheses with what follows it; undefined: a table is copied. */
  readonly query: CopyQuery | undefined
  readonly hasWhere: boolean
  readonly options: CopyOptions
}

export interface CopyTable {
  readonly schema: string | undefined
  readonly name: string
  /** undefined: all columns. */
  readonly columns: readonly string[] | undefined
}

export interface CopyQuery {
  readonly text: string
  /** Where it begins in the statement, in characters as PostgreSQL counts them. */
  readonly offset: number
  /** The statement from TO on. */
  readonly rest: string
}

/** The options that say how rows are written, read on the understanding that PostgreSQL has accepted the statement. */
export interface CopyOptions {
  readonly format: 'text' | 'csv' | 'binary'
  readonly header: boolean
  readonly freeze: boolean
  readonly delimiter: string
  readonly null: string
  readonly quote: string
  readonly escape: string
  /** Names of columns, or all. */
  readonly forceQuote: readonly string[] | 'all'
  readonly encoding: string | undefined
}

/** What a statement of category 'copy' says; undefined for any other. */
export function copyCommand(text: string, node: RawNode): CopyCommand | undefined {
  if (!('CopyStmt' in node)) return undefined
  const copy = node.CopyStmt
  return {
    direction: copy.is_from === true ? 'from' : 'to',
    endpoint:
      copy.is_program === true ? 'program' : copy.filename === undefined ? 'client' : 'file',
    table: tableOf(copy),
    query: copy.query === undefined ? undefined : queryOf(text),
    hasWhere: copy.whereClause !== undefined,
    options: copyOptions(copy.options),
  }
}

function tableOf({ relation, attlist }: RawBody<'CopyStmt'>): CopyTable | undefined {
  if (relation === undefined) return undefined
  return {
    schema: relation.schemaname,
    name: relation.relname ?? '',
    columns: attlist?.map(stringOf),
  }
}

function queryOf(text: string): CopyQuery {
  const source = new StatementTokens(text)
  const open = source.tokens.findIndex((token) => token.text === '(')
  const close = source.closing(open)
  const startByte = source.tokens[open]?.end ?? 0
  return {
    text: source.slice(startByte, source.tokens[close]?.start ?? 0),
    offset: [...source.slice(0, startByte)].length,
    rest: source.slice(source.tokens[close]?.end ?? 0, source.endByte),
  }
}

/** Defaults are those of ProcessCopyOptions (src/backend/commands/copy.c). */
function copyOptions(nodes: readonly RawNode[] | undefined): CopyOptions {
  const options = new Map([...optionsOf(nodes)].map((option) => [option.defname ?? '', option]))
  const text = (name: string) => {
    const option = options.get(name)
    return option === undefined ? undefined : optionText(option)
  }
  const named = text('format')
  const format = named === 'csv' || named === 'binary' ? named : 'text'
  const header = options.get('header')
  const freeze = options.get('freeze')
  const quote = text('quote') ?? '"'
  return {
    format,
    header: header !== undefined && optionIsOn(header),
    freeze: freeze !== undefined && optionIsOn(freeze),
    delimiter: text('delimiter') ?? (format === 'csv' ? ',' : '\t'),
    null: text('null') ?? (format === 'csv' ? '' : '\\N'),
    quote,
    escape: text('escape') ?? quote,
    forceQuote: columnsOf(options.get('force_quote')?.arg),
    encoding: text('encoding'),
  }
}

function columnsOf(arg: RawNode | undefined): readonly string[] | 'all' {
  if (arg === undefined) return []
  if ('A_Star' in arg) return 'all'
  return 'List' in arg ? (arg.List.items ?? []).map(stringOf) : []
}
