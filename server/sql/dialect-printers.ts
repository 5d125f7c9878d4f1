import type { CallRule } from './dialect.ts'

/** Writes a call from its printed arguments. */
export type Printer = CallRule['print']

/** Everything of a rule but how it is written. */
export type RuleFlags = Omit<CallRule, 'print'>

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
