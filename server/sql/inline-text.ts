import { type RawBody, type RawNode, stringOf } from './raw-node.ts'
import { parseStatements, SyntaxProblem } from './statement.ts'
import { StatementTokens } from './statement-tokens.ts'

/*
 * CREATE FUNCTION public.add_em(x integer, y integer) .. AS $function$select x + y$function$    is    select $1 + $2
 *
 * What a function computes as one expression can stand in the place of its calls, as PostgreSQL's planner puts it there
 * (inline_function in src/backend/optimizer/util/clauses.c), and Spanner may know that expression.
 */

/** A body as a SELECT without FROM, whose parameters are the function's arguments. */
export interface InlineText {
  readonly text: string
  readonly isStrict: boolean
}

/** The body in what pg_get_functiondef prints; undefined where it is more than one expression, or gives rows or several columns. */
export function inlineText(definition: string, name: string): InlineText | undefined {
  try {
    const [only] = parseStatements(definition)
    if (only === undefined || !('CreateFunctionStmt' in only.node)) return undefined
    const { CreateFunctionStmt: created } = only.node
    const names = argumentNames(created)
    const body = bodyText(definition, created)
    if (names === undefined || body === undefined || created.returnType?.setof === true)
      return undefined
    const [query, more] = parseStatements(body)
    if (query === undefined || more !== undefined || !isOneExpression(query.node)) return undefined
    const text = withParameters(query, { name, names })
    return text === undefined ? undefined : { text, isStrict: isStrict(created) }
  } catch (error) {
    if (error instanceof SyntaxProblem) return undefined
    throw error
  }
}

/** In their order, '' for those without; undefined where some are not plainly given. */
function argumentNames({
  parameters = [],
}: RawBody<'CreateFunctionStmt'>): readonly string[] | undefined {
  const names: string[] = []
  for (const parameter of parameters) {
    if (!('FunctionParameter' in parameter)) return undefined
    const { mode, name = '' } = parameter.FunctionParameter
    if (mode !== 'FUNC_PARAM_IN' && mode !== 'FUNC_PARAM_DEFAULT') return undefined
    names.push(name)
  }
  return names
}

function isStrict({ options = [] }: RawBody<'CreateFunctionStmt'>): boolean {
  return options.some((option) => 'DefElem' in option && option.DefElem.defname === 'strict')
}

/** A body of SQL's own form comes last in the definition. */
function bodyText(
  definition: string,
  { options = [], sql_body: body }: RawBody<'CreateFunctionStmt'>,
): string | undefined {
  if (body === undefined) {
    const as = options.find((option) => 'DefElem' in option && option.DefElem.defname === 'as')
    const arg = as !== undefined && 'DefElem' in as ? as.DefElem.arg : undefined
    return arg !== undefined && 'List' in arg ? stringOf(arg.List.items?.[0]) : undefined
  }
  const source = new StatementTokens(definition)
  const isWord = (word: string) => (token: { readonly text: string }) => token.text === word
  if ('ReturnStmt' in body) {
    const start = source.tokens.find(isWord('RETURN'))
    return start === undefined ? undefined : `SELECT ${source.slice(start.end, source.endByte)}`
  }
  const start = source.tokens.find(isWord('ATOMIC'))
  const end = source.tokens.at(-1)
  return start === undefined || end === undefined ? undefined : source.slice(start.end, end.start)
}

/** The fields of a SELECT that is nothing but a list; `op` and `limitOption` have a value in every one. */
const PLAIN_FIELDS = new Set(['targetList', 'op', 'limitOption'])

function isOneExpression(node: RawNode): boolean {
  if (!('SelectStmt' in node)) return false
  const { targetList = [], op } = node.SelectStmt
  return (
    targetList.length === 1 &&
    op === 'SETOP_NONE' &&
    Object.keys(node.SelectStmt).every((field) => PLAIN_FIELDS.has(field))
  )
}

interface Reference {
  /** From 1. */
  readonly number: number
  readonly start: number
}

/** The query with $1, $2 .. for its references to arguments; undefined where it has others. */
function withParameters(
  { text, node }: { readonly text: string; readonly node: RawNode },
  called: { readonly name: string; readonly names: readonly string[] },
): string | undefined {
  const references = referencesIn(node, called)
  if (references === undefined) return undefined
  const source = new StatementTokens(text)
  let result = ''
  let done = 0
  for (const { number, start } of [...references].sort((a, b) => a.start - b.start)) {
    let last = source.indexAt(start)
    while (source.tokens[last + 1]?.text === '.') last += 2
    result += `${source.slice(done, start)}$${number}`
    done = source.tokens[last]?.end ?? source.endByte
  }
  return result + source.slice(done, source.endByte)
}

function referencesIn(
  node: RawNode,
  { name, names }: { readonly name: string; readonly names: readonly string[] },
): readonly Reference[] | undefined {
  const found: (Reference | undefined)[] = []
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, child] of Object.entries(value)) {
      if (key === 'ColumnRef') found.push(referenceOf(child as RawBody<'ColumnRef'>))
      else look(child)
    }
  }
  const referenceOf = ({ fields = [], location = 0 }: RawBody<'ColumnRef'>) => {
    const [argument = '', qualifier = name, ...rest] = fields.map(stringOf).reverse()
    const number = argument === '' ? 0 : names.indexOf(argument) + 1
    if (number === 0 || qualifier !== name || rest.length > 0) return undefined
    return { number, start: location }
  }
  look(node)
  return found.includes(undefined) ? undefined : found.filter((one) => one !== undefined)
}
