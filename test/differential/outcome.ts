import type { ServerMessage } from '../helpers/wire-client.ts'

/** What a statement came to, as its client sees it: types and texts of the rows, or the error; `lost`: the connection ended. */
export type Outcome =
  | {
      readonly kind: 'rows'
      readonly types: readonly number[]
      readonly rows: readonly (readonly (string | null)[])[]
    }
  | { readonly kind: 'error'; readonly code: string; readonly message: string }
  | { readonly kind: 'lost' }

/** FirstNormalObjectId: types that users make have other OIDs on every server. */
const FIRST_USER_OID = 16_384

/** Reads the answer to one Query message. */
export function outcomeOf(messages: readonly ServerMessage[]): Outcome {
  const error = messages.find((message) => message.name === 'error')
  if (error !== undefined) {
    return { kind: 'error', code: String(error['code']), message: String(error['message']) }
  }
  if (!messages.some((message) => message.name === 'readyForQuery')) return { kind: 'lost' }
  const description = messages.find((message) => message.name === 'rowDescription')
  const fields = (description?.['fields'] ?? []) as readonly { readonly dataTypeID: number }[]
  return {
    kind: 'rows',
    types: fields.map(({ dataTypeID }) => (dataTypeID < FIRST_USER_OID ? dataTypeID : 0)),
    rows: messages
      .filter((message) => message.name === 'dataRow')
      .map((message) => message['fields'] as readonly (string | null)[]),
  }
}

/** How the two outcomes differ, as lines for a person; undefined where they do not. Rows are compared as sets unless they are ordered. */
export function differenceOf(
  expected: Outcome,
  found: Outcome,
  isOrdered: boolean,
): string | undefined {
  if (expected.kind === 'rows' && found.kind === 'rows') {
    if (expected.types.join() !== found.types.join())
      return `types ${expected.types.join()}, found ${found.types.join()}`
    return rowDifference(lines(expected.rows, isOrdered), lines(found.rows, isOrdered))
  }
  if (expected.kind === 'error' && found.kind === 'error' && expected.code === found.code)
    return undefined
  return `expected ${describe(expected)}\nfound ${describe(found)}`
}

function lines(rows: Extract<Outcome, { kind: 'rows' }>['rows'], isOrdered: boolean): string[] {
  const texts = rows.map((row) => JSON.stringify(row))
  return isOrdered ? texts : texts.sort()
}

const SHOWN_ROWS = 5

function rowDifference(expected: readonly string[], found: readonly string[]): string | undefined {
  if (expected.length === found.length && expected.every((line, i) => line === found[i]))
    return undefined
  const missing = without(expected, found)
  const surplus = without(found, expected)
  if (missing.length + surplus.length === 0) return 'the same rows in another order'
  return [
    `${expected.length} rows expected, ${found.length} found`,
    ...missing.slice(0, SHOWN_ROWS).map((line) => `  - ${line}`),
    ...surplus.slice(0, SHOWN_ROWS).map((line) => `  + ${line}`),
  ].join('\n')
}

/** The lines of one list that the other has not as often. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const count = left.get(line) ?? 0
    left.set(line, count - 1)
    return count <= 0
  })
}

function describe(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'rows':
      return `${outcome.rows.length} rows, the first ${JSON.stringify(outcome.rows[0])}`
    case 'error':
      return `${outcome.code} ${outcome.message}`
    case 'lost':
      return 'a lost connection'
  }
}
