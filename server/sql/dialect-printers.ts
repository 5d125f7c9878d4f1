import type { CallRule, CallSite, Printer } from './dialect.ts'

/** Everything of a rule but how it is written. */
export type RuleFlags = Omit<CallRule, 'print'>

/** OID in pg_operator or pg_proc, the call with its arguments' types, how Spanner writes it, and what is special about it. */
export type CallRow = readonly [oid: number, signature: string, print: Printer, flags?: RuleFlags]

/** The results of these are checked where nobody else would notice an overflow. */
export const INT2 = { resultRange: 'int2' } as const
export const INT4 = { resultRange: 'int4' } as const
/** The emulator dies of NULL in the first or the second argument. */
export const FIRST = { diesOfNull: [0] } as const
export const SECOND = { diesOfNull: [1] } as const
export const CAN_FAIL = { canFail: true } as const
export const SAYS_LESS = { ...CAN_FAIL, saysLess: true } as const

/** The argument behind the list's end is never asked for: rules are made for the arguments that their signatures have. */
export function at(args: readonly string[], index: number): string {
  return args[index] ?? 'NULL'
}

/** `a op b` */
export function infix(operator: string): Printer {
  return (args) => `${at(args, 0)} ${operator} ${at(args, 1)}`
}

/** `op a` */
export function prefix(operator: string): Printer {
  return (args) => `${operator} ${at(args, 0)}`
}

/** `name(a, b, ...)` */
export function call(name: string): Printer {
  return (args) => `${name}(${args.join(', ')})`
}

/** `a::type` */
export function castTo(type: string): Printer {
  return (args) => `${at(args, 0)}::${type}`
}

/** The argument itself: both types are stored alike. */
export const same: Printer = (args) => at(args, 0)

/** A form with its arguments put in for `$1`, `$2` ...: for what takes more than one call to say. */
export function form(text: string): Printer {
  return (args) =>
    text.replaceAll(/\$(\d)/g, (_match, number: string) => at(args, Number(number) - 1))
}

/** The text that a string literal stands for; undefined for every other SQL. */
export function literalText(sql: string): string | undefined {
  const body = /^'((?:[^']|'')*)'(?:::\w+)?$/.exec(sql)?.[1]
  return body?.replaceAll("''", "'")
}

/** With a type, where it is a bare string literal: Spanner does not find one before IS NULL, nor as an argument of any type. */
export function typedLiteral(sql: string): string {
  return /^'(?:[^']|'')*'$/.test(sql) ? `${sql}::text` : sql
}

/** A string literal. */
export function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** The whole number that a literal stands for; undefined for every other SQL. */
export function literalInteger(sql: string): number | undefined {
  return /^\d+$|^\(-\d+\)$/.test(sql) ? Number(sql.replace(/[()]/g, '')) : undefined
}

/** Whether a name stands for UTC at all times (the tz database's file etcetera). */
export function isUtc(zone: string): boolean {
  return /^(?:Etc\/)?(?:UTC|UCT|GMT|GMT0|GMT[+-]0|Greenwich|Universal|Zulu)$/i.test(zone)
}

/** The form is right where the session's time zone is UTC. */
export const IN_UTC = {
  accepts: (_args: readonly string[], site: CallSite) => isUtc(site.timeZone),
} as const
