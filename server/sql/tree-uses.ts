import { NodeFields } from './node-fields.ts'
import { type NodeObject, type NodeValue, readNodeText } from './node-text.ts'
import { isPerformedOid } from './performed-functions.ts'

/**
 * What a statement uses, wherever it stands in its tree: inside of nodes too that have no typed form in query-tree.ts.
 * Everything by OID.
 */
export interface TreeUses {
  /** Every range table entry of a table, sequence, catalog ...: a table that is read twice is here twice. */
  readonly relations: readonly RelationUse[]
  readonly views: ReadonlySet<number>
  /** Range table entries of common table expressions. */
  readonly cteReferences: number
  /** Functions, aggregates and window functions that are called by name. */
  readonly functions: ReadonlySet<number>
  /** CURRENT_CATALOG. */
  readonly namesDatabase: boolean
  /** Relations that constants of type regclass name: `'t'::regclass`. */
  readonly regclasses: ReadonlySet<number>
  /** Types of expressions, but of constants that only name a sequence for nextval() or setval(). */
  readonly types: ReadonlySet<number>
  /** Types that are named by a cast or a constant, that functions give, and of which arrays and rows are made: of all but columns as they are. */
  readonly namedTypes: ReadonlySet<number>
}

/** One range table entry. */
export interface RelationUse {
  readonly relid: number
  /** pg_class.relkind: `r`, or `S` for a sequence. */
  readonly relkind: string
  /** Attribute numbers that the statement reads; 0 is the whole row, below it are system columns. */
  readonly attributes: readonly number[]
}

/**
 * Reads the uses out of what the companion prints under debug_print_rewritten.
 *
 * @throws as readNodeText
 */
export function readTreeUses(text: string): TreeUses {
  const uses = new UsesCollector()
  uses.visit(readNodeText(text), [])
  return uses
}

/** FirstLowInvalidHeapAttributeNumber (access/sysattr.h): what column sets are shifted by, so that system columns fit in. */
const FIRST_ATTRIBUTE = -7
const RTE_RELATION = 0
const RTE_CTE = 6
const REGCLASS = 2205
/** SQLValueFunctionOp (nodes/primnodes.h). */
const SVFOP_CURRENT_CATALOG = 13
/** array_agg(anynonarray), array_agg(anyarray). */
const ARRAY_AGGREGATES = new Set([2335, 4053])
const ARRAY_SUBLINK = 6

/** What the nodes call the type of their value. */
const TYPE_FIELDS = [
  'consttype',
  'vartype',
  'paramtype',
  'funcresulttype',
  'opresulttype',
  'resulttype',
  'aggtype',
  'wintype',
  'casetype',
  'coalescetype',
  'minmaxtype',
  'array_typeid',
  'row_typeid',
  'refrestype',
]

class UsesCollector implements TreeUses {
  readonly relations: RelationUse[] = []
  cteReferences = 0
  namesDatabase = false
  readonly views = new Set<number>()
  readonly functions = new Set<number>()
  readonly regclasses = new Set<number>()
  readonly types = new Set<number>()
  readonly namedTypes = new Set<number>()
  /** Constants that name the sequence of a call: what their OIDs are does not matter. */
  readonly #sequences = new Set<NodeObject>()

  /** `permissions` are those of the query around: PostgreSQL 16 moved column sets there. */
  visit(value: NodeValue, permissions: readonly NodeObject[]): void {
    if (value?.kind === 'list') for (const item of value.items) this.visit(item, permissions)
    if (value?.kind !== 'object') return
    const fields = new NodeFields(value)
    const inner = value.tag === 'QUERY' ? fields.objects('rteperminfos') : permissions
    this.#take(fields, inner)
    if (!this.#sequences.has(value)) this.#takeTypes(fields)
    for (const field of value.fields.values()) this.visit(field, inner)
  }

  #take(fields: NodeFields, permissions: readonly NodeObject[]): void {
    switch (fields.tag) {
      case 'RANGETBLENTRY':
        this.#takeEntry(fields, permissions)
        return
      case 'FUNCEXPR':
        this.functions.add(fields.int('funcid'))
        this.#takeSequence(fields)
        return
      case 'AGGREF':
        this.functions.add(fields.int('aggfnoid'))
        return
      case 'WINDOWFUNC':
        this.functions.add(fields.int('winfnoid'))
        return
      case 'SQLVALUEFUNCTION':
        this.namesDatabase ||= fields.int('op') === SVFOP_CURRENT_CATALOG
        return
      case 'CONST':
        if (fields.int('consttype') === REGCLASS && !fields.bool('constisnull'))
          this.regclasses.add(fields.bytes('constvalue')?.readUInt32LE() ?? 0)
    }
  }

  #takeSequence(call: NodeFields): void {
    if (!isPerformedOid(call.int('funcid'))) return
    const [first] = call.objects('args')
    if (first?.tag === 'CONST' && typeOf(new NodeFields(first)) === REGCLASS)
      this.#sequences.add(first)
  }

  #takeTypes(fields: NodeFields): void {
    const type = typeOf(fields)
    if (type !== undefined) this.types.add(type)
    if (type !== undefined && fields.tag !== 'VAR') this.namedTypes.add(type)
    for (const part of partsOf(fields)) this.namedTypes.add(typeOf(new NodeFields(part)) ?? 0)
  }

  /** The rewriter leaves a view's own entry beside the subquery that it put in its place; EXCLUDED is an entry of kind `c`. */
  #takeEntry(fields: NodeFields, permissions: readonly NodeObject[]): void {
    const relid = fields.int('relid')
    const relkind = fields.text('relkind')
    if (fields.int('rtekind') === RTE_CTE) this.cteReferences++
    if (relkind === 'v') this.views.add(relid)
    else if (fields.int('rtekind') === RTE_RELATION && relkind !== 'c') {
      const permission = permissions[fields.int('perminfoindex') - 1]
      const holder = permission === undefined ? fields : new NodeFields(permission)
      const attributes = holder.ints('selectedCols').map((bit) => bit + FIRST_ATTRIBUTE)
      this.relations.push({ relid, relkind: relkind ?? '', attributes })
    }
  }
}

function typeOf(fields: NodeFields): number | undefined {
  const name = TYPE_FIELDS.find((field) => fields.has(field))
  return name === undefined ? undefined : fields.int(name)
}

/** What an array or a row is made of; none where the node makes neither. */
function partsOf(fields: NodeFields): readonly NodeObject[] {
  switch (fields.tag) {
    case 'ARRAYEXPR':
      return fields.objects('elements')
    case 'ROWEXPR':
      return fields.objects('args')
    case 'AGGREF':
      return ARRAY_AGGREGATES.has(fields.int('aggfnoid'))
        ? fields.objects('args').flatMap(valueOfTarget)
        : []
    case 'SUBLINK': {
      const query = fields.object('subselect')
      if (fields.int('subLinkType') !== ARRAY_SUBLINK || query === undefined) return []
      return new NodeFields(query).objects('targetList').slice(0, 1).flatMap(valueOfTarget)
    }
    default:
      return []
  }
}

function valueOfTarget(target: NodeObject): readonly NodeObject[] {
  const value = new NodeFields(target).object('expr')
  return value === undefined ? [] : [value]
}
