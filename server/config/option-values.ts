import { isIPv6 } from 'node:net'
import { resolve } from 'node:path'

// Readers of option values: text in, value out. What they throw is an Error whose message completes "--flag: ".

/** A place to listen at. Host `*` is every address; port 0 is any free port. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Levels of the log, from quiet to loud. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

/** What the embedded backend behaves like: Spanner as production documents it, or a version of the official emulator. */
export const PROFILES = ['production', 'emulator-1.5.28'] as const

/** `host:port`, `[ipv6]:port` or `*:port`. */
export function parseAddress(text: string): ListenAddress {
  const match = /^(?:\[([^\]]*)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text)
  const [, ipv6, name, digits] = match ?? []
  const host = ipv6 ?? name
  const port = Number(digits)
  if (host === undefined || port > 65535 || (ipv6 !== undefined && !isIPv6(ipv6))) {
    throw new Error(`"${text}" is not an address: HOST:PORT, [IPV6]:PORT or *:PORT is needed`)
  }
  return { host, port }
}

/** An address as {@link parseAddress} reads it. */
export function formatAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Whether only this machine can reach the address. */
export function isLoopback({ host }: ListenAddress): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** A path, made absolute. */
export function parsePath(text: string, baseDirectory: string): string {
  return resolve(baseDirectory, text)
}

/** A whole number within bounds. */
export function integerBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new Error(`"${text}" is not a whole number from ${min} to ${max}`)
  }
}

const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
}

/** A size with PostgreSQL's units (manual, section 20.1.1), in bytes; without a unit: bytes. */
export function sizeBetween(minBytes: number, maxBytes: number): (text: string) => number {
  return (text) => {
    const bytes = withUnit(text, BYTES_PER_UNIT, 'B')
    if (bytes >= minBytes && bytes <= maxBytes) return bytes
    const range = `${minBytes}B to ${maxBytes}B`
    throw new Error(`"${text}" is not a size from ${range}: a whole number and B, kB, MB or GB`)
  }
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 }

/** A duration with PostgreSQL's units (manual, section 20.1.1), in milliseconds; without a unit: seconds. */
export function durationBetween(minMs: number, maxMs: number): (text: string) => number {
  return (text) => {
    const ms = withUnit(text, MS_PER_UNIT, 's')
    if (ms >= minMs && ms <= maxMs) return ms
    const range = `${minMs}ms to ${maxMs}ms`
    throw new Error(`"${text}" is not a duration from ${range}: a whole number and ms, s, min or h`)
  }
}

function withUnit(
  text: string,
  units: Readonly<Record<string, number>>,
  defaultUnit: string,
): number {
  const [, digits, unit = ''] = /^(\d{1,15})\s*([a-zA-Z]*)$/.exec(text) ?? []
  const factor = Object.hasOwn(units, unit || defaultUnit) ? units[unit || defaultUnit] : undefined
  return digits === undefined || factor === undefined ? Number.NaN : Number(digits) * factor
}

/** One of a few words. */
export function oneOf<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text)
    if (found !== undefined) return found
    throw new Error(`"${text}" is not one of ${words.join(', ')}`)
  }
}

/** The id of a Google Cloud project, Spanner instance or database: what their names allow, roughly, and no path. */
export function parseResourceId(text: string): string {
  if (/^[a-z](?:[a-z0-9_.:-]*[a-z0-9])?$/.test(text)) return text
  throw new Error(
    `"${text}" is not an id: lower-case letters, digits and hyphens are needed, a letter first`,
  )
}
