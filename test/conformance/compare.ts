import { status } from '@grpc/grpc-js'
import type { Message } from '../embedded/embedded-client.ts'
import type { Expected } from './cases.ts'

/** What a case came to. */
export type Outcome =
  | { readonly ok: true; readonly answer?: Message; readonly ddl?: DdlChange }
  | { readonly ok: false; readonly code: number; readonly text: string }

export interface DdlChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** How much of an expectation an outcome meets: ok or not; also the code; also every other field. */
export interface Verdict {
  readonly ok: boolean
  readonly code: boolean
  readonly all: boolean
  /** What differs, for whoever looks. */
  readonly difference: string | undefined
}

/** Compares an outcome with what the emulator answered. */
export function judge(outcome: Outcome, expected: Expected): Verdict {
  if (!outcome.ok) {
    const name = status[outcome.code] ?? String(outcome.code)
    if (expected.ok) return wrong(`refused: ${name} ${outcome.text}`)
    const isSame = name === expected.code
    const difference = isSame ? undefined : `${name} for ${expected.code}: ${outcome.text}`
    return { ok: true, code: isSame, all: isSame, difference }
  }
  if (!expected.ok) return wrong(`accepted; should be ${expected.code}`)
  const difference = differenceOf(outcome, expected)
  return { ok: true, code: true, all: difference === undefined, difference }
}

function wrong(difference: string): Verdict {
  return { ok: false, code: false, all: false, difference }
}

function differenceOf(
  { answer, ddl }: { readonly answer?: Message; readonly ddl?: DdlChange },
  expected: Expected,
): string | undefined {
  const got: Record<string, unknown> = {
    columns: columnsOf(answer?.metadata?.rowType),
    nrows: answer?.rows?.length ?? 0,
    rowCount: Number(answer?.stats?.rowCountExact ?? 0),
    undeclared: columnsOf(answer?.metadata?.undeclaredParameters),
    ddlAdded: ddl?.added,
    ddlRemoved: ddl?.removed,
  }
  for (const [name, value] of Object.entries(got)) {
    const wanted = expected[name as keyof Expected]
    if (wanted === undefined || JSON.stringify(wanted) === JSON.stringify(value)) continue
    return `${name}: ${JSON.stringify(value)} for ${JSON.stringify(wanted)}`
  }
  if (expected.rows === undefined) return undefined
  const rows: string[] = (answer?.rows ?? []).map((row: Message) =>
    JSON.stringify((row.values ?? []).map(plainValue)),
  )
  const wanted = expected.rows.map((row) => JSON.stringify(row))
  if (inOrder(rows, expected).join('\n') === inOrder(wanted, expected).join('\n')) return undefined
  return `rows: ${rows.join(' ')} for ${wanted.join(' ')}`
}

/** Rows with those sorted that may come in any order. */
function inOrder(rows: readonly string[], { order }: Expected): string[] {
  if (order === undefined) return [...rows]
  if (order === 'any') return rows.toSorted()
  let from = 0
  return order.flatMap((size) => {
    from += size
    return rows.slice(from - size, from).sort()
  })
}

function columnsOf(rowType: Message): unknown[] {
  return (rowType?.fields ?? []).map((field: Message) => [field.name ?? '', typeText(field.type)])
}

function typeText(type: Message): string {
  if (type.code === 'ARRAY') return `${typeText(type.arrayElementType)}[]`
  return type.typeAnnotation === undefined ? type.code : `${type.code}:${type.typeAnnotation}`
}

function plainValue(of: Message): unknown {
  if (of.listValue !== undefined) return (of.listValue.values ?? []).map(plainValue)
  return of.stringValue ?? of.boolValue ?? of.numberValue ?? null
}
