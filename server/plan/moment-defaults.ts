import { type RawBody, type RawNode, stringOf } from '../sql/raw-node.ts'

/*
 * PostgreSQL:  CREATE TABLE t (at timestamp DEFAULT 'now'), ALTER TABLE t ALTER at SET DEFAULT timestamp 'now'
 *
 * Of a statement that defines something no query tree is printed: its constants of dates and times are those whose type is written beside them.
 */
const TYPES: ReadonlySet<string> = new Set(['date', 'time', 'timetz', 'timestamp', 'timestamptz'])

/** Where the constants of dates and times stand in a statement that defines something: byte offsets, ascending. */
export function definedMoments(node: RawNode): readonly number[] {
  const places: number[] = []
  collect(node, places)
  return places.sort((a, b) => a - b)
}

function collect(value: unknown, places: number[]): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, child] of Object.entries(value)) {
    if (name === 'TypeCast') addCast(child as RawBody<'TypeCast'>, places)
    else if (name === 'ColumnDef' || name === 'CreateDomainStmt')
      addDefaults(child as Typed, places)
    collect(child, places)
  }
}

function addCast({ arg, typeName }: RawBody<'TypeCast'>, places: number[]): void {
  if (isMoment(typeName)) addConstant(arg, places)
}

interface Typed {
  readonly typeName?: RawBody<'TypeName'>
  readonly constraints?: readonly RawNode[]
}

function addDefaults({ typeName, constraints = [] }: Typed, places: number[]): void {
  if (!isMoment(typeName)) return
  for (const constraint of constraints) {
    if ('Constraint' in constraint) addConstant(constraint.Constraint.raw_expr, places)
  }
}

function addConstant(node: RawNode | undefined, places: number[]): void {
  if (node !== undefined && 'A_Const' in node && node.A_Const.sval !== undefined)
    places.push(node.A_Const.location ?? 0)
}

function isMoment(type: RawBody<'TypeName'> | undefined): boolean {
  return TYPES.has(stringOf(type?.names?.at(-1)))
}
