/*
 * PostgreSQL:  d > 'today', date 'tomorrow', timestamp 'now'
 *
 * Special strings of dates and times are constants of the moment at which a statement is analysed (manual, section 8.5.1.4): a plan with
 * one is that statement's own, and not for the next with the same text.
 */
const IN_LITERAL =
  /(?:'|\$\w*\$)[^']*(?<![a-z_])(?:now(?!\s*\()|today|tomorrow|yesterday)(?![a-z_])/i
const WORD = /(?<![a-z_])(?:now(?!\s*\()|today|tomorrow|yesterday)(?![a-z_])/i

/** Whether a string in a statement may be read as a date or time that the clock decides. */
export function namesMoment(text: string): boolean {
  return WORD.test(text) && IN_LITERAL.test(text)
}
