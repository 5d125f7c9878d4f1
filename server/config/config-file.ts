import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError } from './config-error.ts'
import { fileKeyOf, OPTIONS, UNBUILT_OPTIONS } from './options.ts'

/** A configuration file, unread: texts by option name. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string
  readonly values: ReadonlyMap<string, readonly string[]>
}

const NAME_BY_KEY: ReadonlyMap<string, string> = new Map(
  Object.values(OPTIONS).map(({ name }) => [fileKeyOf(name), name]),
)
const UNBUILT_KEYS: ReadonlySet<string> = new Set([...UNBUILT_OPTIONS].map(fileKeyOf))

/**
 * Reads a JSON object whose keys are options; values are strings, numbers, or arrays of them where an option may be repeated; null is
 * as if the key were absent. Throws {@link ConfigError} with the path.
 */
export function readConfigFile(path: string, workingDirectory: string): ConfigFile {
  const absolute = resolve(workingDirectory, path)
  const values = new Map<string, readonly string[]>()
  for (const [key, value] of Object.entries(readObject(absolute))) {
    const name = NAME_BY_KEY.get(key)
    if (UNBUILT_KEYS.has(key)) {
      throw new ConfigError(`${absolute}: ${key}: not available in this version`)
    }
    if (name === undefined) throw new ConfigError(`${absolute}: ${key}: there is no such option`)
    if (value !== null) values.set(name, textsOf(`${absolute}: ${key}`, value))
  }
  return { path: absolute, values }
}

function readObject(path: string): object {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConfigError(`--config: cannot read ${path}: ${reason}`, { cause: error })
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed
  throw new ConfigError(`${path}: a JSON object is needed`)
}

function textsOf(label: string, value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (items.length === 0) throw new ConfigError(`${label}: a value is needed`)
  return items.map((item) => {
    if (typeof item === 'string' && item !== '') return item
    if (typeof item === 'number') return String(item)
    throw new ConfigError(`${label}: a string or a number is needed`)
  })
}
