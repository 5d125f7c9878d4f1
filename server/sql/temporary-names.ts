import { type RawBody, type RawNode, stringOf } from './raw-node.ts'
import { namesOfCtes } from './replace-relations.ts'

/** A relation as a statement of any kind names it. */
export interface StatementRelation {
  readonly schema: string | undefined
  readonly name: string
}

/** How long the rows of a temporary table last (manual, CREATE TABLE, ON COMMIT). */
export interface OnCommit {
  readonly name: string
  readonly action: 'delete-rows' | 'drop'
}

const TEMPORARY_SCHEMA = 'pg_temp'

/** The relations that a statement names anywhere; CTEs and what CREATE TEMPORARY makes are left out. */
export function statementRelations(node: RawNode): readonly StatementRelation[] {
  const ctes = namesOfCtes(node)
  const found: StatementRelation[] = []
  walk(node, (kind, body) => {
    if (kind === 'DropStmt') found.push(...dropped(body as RawBody<'DropStmt'>))
    const { schemaname, relname, relpersistence } = body as RawBody<'RangeVar'>
    if (relname === undefined || relpersistence === 't') return
    if (schemaname !== undefined || !ctes.has(relname)) {
      found.push({ schema: schemaname, name: relname })
    }
  })
  return found
}

function dropped({ objects }: RawBody<'DropStmt'>): readonly StatementRelation[] {
  return (objects ?? []).flatMap((object) => {
    if (!('List' in object)) return []
    const names = (object.List.items ?? []).map(stringOf)
    const name = names.at(-1)
    return name === undefined ? [] : [{ schema: names.at(-2), name }]
  })
}

/** Whether a statement makes a temporary table, view or sequence. */
export function createsTemporary(node: RawNode): boolean {
  const target = created(node)
  return (
    target !== undefined &&
    (target.relpersistence === 't' || target.schemaname === TEMPORARY_SCHEMA)
  )
}

/** Whether a name says itself that it is a temporary relation's. */
export function isTemporarySchema(schema: string | undefined): boolean {
  return schema === TEMPORARY_SCHEMA
}

function created(node: RawNode): RawBody<'RangeVar'> | undefined {
  if ('CreateStmt' in node) return node.CreateStmt.relation
  if ('ViewStmt' in node) return node.ViewStmt.view
  if ('CreateSeqStmt' in node) return node.CreateSeqStmt.sequence
  if ('CreateTableAsStmt' in node) return node.CreateTableAsStmt.into?.rel
  if ('SelectStmt' in node) return node.SelectStmt.intoClause?.rel
  return undefined
}

/** What is to become of a new temporary table when its transaction commits; undefined: it stays as it is. */
export function onCommit(node: RawNode): OnCommit | undefined {
  const name = created(node)?.relname
  const said =
    'CreateStmt' in node
      ? node.CreateStmt.oncommit
      : 'CreateTableAsStmt' in node
        ? node.CreateTableAsStmt.into?.onCommit
        : undefined
  if (name === undefined) return undefined
  if (said === 'ONCOMMIT_DELETE_ROWS') return { name, action: 'delete-rows' }
  return said === 'ONCOMMIT_DROP' ? { name, action: 'drop' } : undefined
}

function walk(value: unknown, visit: (kind: string, body: unknown) => void): void {
  if (typeof value !== 'object' || value === null) return
  for (const [kind, child] of Object.entries(value)) {
    if (typeof child === 'object' && child !== null) visit(kind, child)
    walk(child, visit)
  }
}
