import type { RawBody, RawNode } from './raw-node.ts'

/** Columns that an ALTER TABLE computes anew. */
export interface ComputedColumns {
  /** As SQL names the table: its parts quoted. */
  readonly table: string
  readonly columns: readonly string[]
}

/**
 * The columns of an ALTER TABLE to which ALTER .. TYPE .. USING gives other values than the type alone would; undefined where there are none.
 * A column that is cast to the type, be it by way of text, is none.
 */
export function computedColumns(node: RawNode): ComputedColumns | undefined {
  if (!('AlterTableStmt' in node)) return undefined
  const { cmds = [], relation } = node.AlterTableStmt
  const columns = cmds.flatMap((cmd) => {
    if (!('AlterTableCmd' in cmd) || cmd.AlterTableCmd.subtype !== 'AT_AlterColumnType') return []
    const { name, def } = cmd.AlterTableCmd
    if (name === undefined || def === undefined || !('ColumnDef' in def)) return []
    const { raw_default: using, typeName } = def.ColumnDef
    return using === undefined || isColumnAs(using, name, typeName) ? [] : [name]
  })
  if (columns.length === 0) return undefined
  const parts = [relation?.schemaname, relation?.relname].filter((part) => part !== undefined)
  return { table: parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.'), columns }
}

type TypeName = RawBody<'TypeName'>

function isColumnAs(expr: RawNode, name: string, type: TypeName | undefined): boolean {
  if ('ColumnRef' in expr) {
    const [field, ...others] = expr.ColumnRef.fields ?? []
    const isNamed = field !== undefined && 'String' in field && field.String.sval === name
    return isNamed && others.length === 0
  }
  if (!('TypeCast' in expr)) return false
  const { arg, typeName } = expr.TypeCast
  if (arg === undefined || typeName === undefined) return false
  const isKept = isText(typeName) || (type !== undefined && isSameType(typeName, type))
  return isKept && isColumnAs(arg, name, type)
}

function isText(type: TypeName): boolean {
  return namesOf(type).at(-1) === 'text' && type.arrayBounds === undefined
}

function isSameType(one: TypeName, other: TypeName): boolean {
  const key = (type: TypeName) =>
    JSON.stringify([namesOf(type), type.typmods, type.arrayBounds], (field, value: unknown) =>
      field === 'location' ? undefined : value,
    )
  return key(one) === key(other)
}

/** `integer` is parsed as pg_catalog.int4, and `int4` as it stands. */
function namesOf({ names = [] }: TypeName): readonly string[] {
  const parts = names.map((part) => ('String' in part ? (part.String.sval ?? '') : ''))
  return parts[0] === 'pg_catalog' ? parts.slice(1) : parts
}
