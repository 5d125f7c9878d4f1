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

/**
 * Compares an outcome with what the emulator answered. One thing is not compared: the hash in the name that Spanner makes up for an unnamed
 * constraint and the indexes behind it (`FK_t_p_A597245AEED6BA55_1`), whose function is not known.
 */
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

/** `FK_<table>_<table>_<hash>_1`, `IDX_<table>_<columns>_N_<hash>`. */
const GENERATED_HASH = /\b((?:FK|CK|IDX)_\w+_)[0-9A-F]{16}(?=_\d+\b|\b)/g

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
    if (wanted === undefined || textOf(wanted) === textOf(value)) continue
    return `${name}: ${textOf(value)} for ${textOf(wanted)}`
  }
  if (expected.rows === undefined) return undefined
  const rows: string[] = (answer?.rows ?? []).map((row: Message) =>
    textOf((row.values ?? []).map(plainValue)),
  )
  const wanted = expected.rows.map(textOf)
  if (inOrder(rows, expected).join('\n') === inOrder(wanted, expected).join('\n')) return undefined
  return `rows: ${rows.join(' ')} for ${wanted.join(' ')}`
}

function textOf(value: unknown): string {
  return JSON.stringify(value ?? null).replace(GENERATED_HASH, '$1HASH')
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
