import type { DirectedRead, ReplicaSelection } from '../backend/backend.ts'

/** Spanner takes no more of them (Spanner's page on directed reads). */
const MAX_SELECTIONS = 10

/**
 * google.spanner.v1.DirectedReadOptions in the JSON of protocol buffers, whose names may be camelCase or as in the .proto file;
 * undefined where the text is none.
 */
export function parseDirectedRead(json: string): DirectedRead | undefined {
  const options = fieldsOf(parseJson(json))
  const [[name, value] = [], another] = [...(options ?? [])]
  const replicas = fieldsOf(value)
  if (replicas === undefined || another !== undefined) return undefined
  const { replicaSelections, autoFailoverDisabled = false, ...rest } = Object.fromEntries(replicas)
  const selections = parseSelections(replicaSelections)
  if (selections === undefined || Object.keys(rest).length > 0) return undefined
  if (typeof autoFailoverDisabled !== 'boolean') return undefined
  if (name === 'includeReplicas') return { kind: 'include', selections, autoFailoverDisabled }
  const isExclusion = name === 'excludeReplicas' && !replicas.has('autoFailoverDisabled')
  return isExclusion ? { kind: 'exclude', selections } : undefined
}

function parseSelections(value: unknown): readonly ReplicaSelection[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_SELECTIONS) return undefined
  const selections = value.map(parseSelection).filter((selection) => selection !== undefined)
  return selections.length === value.length ? selections : undefined
}

function parseSelection(value: unknown): ReplicaSelection | undefined {
  const fields = fieldsOf(value)
  if (fields === undefined) return undefined
  const { location, type, ...rest } = Object.fromEntries(fields)
  if (Object.keys(rest).length > 0 || fields.size === 0) return undefined
  if (location !== undefined && typeof location !== 'string') return undefined
  if (type !== undefined && type !== 'READ_WRITE' && type !== 'READ_ONLY') return undefined
  return { location, type }
}

function parseJson(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** By their names in camelCase. */
function fieldsOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return new Map(
    Object.entries(value).map(([name, field]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      field,
    ]),
  )
}
