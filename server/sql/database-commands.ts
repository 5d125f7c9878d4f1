import { optionIsOn, optionsOf, optionText, type RawNode } from './raw-node.ts'

export interface CreateDatabaseCommand {
  readonly name: string
  /** Options by PostgreSQL's name in lower case (`owner`, `template`, `encoding`, `connection_limit` ...); undefined: DEFAULT. */
  readonly options: ReadonlyMap<string, string | undefined>
}

/** What a CREATE DATABASE says; undefined for any other statement. */
export function createDatabaseCommand(node: RawNode): CreateDatabaseCommand | undefined {
  if (!('CreatedbStmt' in node)) return undefined
  const options = new Map<string, string | undefined>()
  for (const option of optionsOf(node.CreatedbStmt.options))
    options.set(option.defname ?? '', optionText(option))
  return { name: node.CreatedbStmt.dbname ?? '', options }
}

export interface DropDatabaseCommand {
  readonly name: string
  /** IF EXISTS. */
  readonly missingOk: boolean
  /** WITH (FORCE). */
  readonly force: boolean
}

export interface CommentOnDatabaseCommand {
  readonly name: string
  /** undefined: NULL, which takes the comment away. */
  readonly comment: string | undefined
}

/** What a COMMENT ON DATABASE says; undefined for any other statement. */
export function commentOnDatabaseCommand(node: RawNode): CommentOnDatabaseCommand | undefined {
  if (!('CommentStmt' in node) || node.CommentStmt.objtype !== 'OBJECT_DATABASE') return undefined
  const { object, comment } = node.CommentStmt
  const name = object !== undefined && 'String' in object ? (object.String.sval ?? '') : ''
  return { name, comment }
}

/** What a DROP DATABASE says; undefined for any other statement. */
export function dropDatabaseCommand(node: RawNode): DropDatabaseCommand | undefined {
  if (!('DropdbStmt' in node)) return undefined
  const { dbname = '', missing_ok, options } = node.DropdbStmt
  const force = [...optionsOf(options)].some((o) => o.defname === 'force' && optionIsOn(o))
  return { name: dbname, missingOk: missing_ok === true, force }
}
