/*
 * isspace() and array_isspace() of the C locale, and trimming by it. A regular expression that ends in $ looks at every blank
 * again and again: on a megabyte of blanks that takes minutes.
 */

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}

/** Whether there is nothing but blanks from `start` on. */
export function isBlankFrom(text: string, start: number): boolean {
  return skipBlanks(text, start) === text.length
}

/** The first position from `start` on that is no blank. */
export function skipBlanks(text: string, start: number): number {
  let at = start
  while (at < text.length && isBlank(text.charCodeAt(at))) at++
  return at
}

/** Without blanks at the end. */
export function trimBlanksEnd(text: string): string {
  let end = text.length
  while (end > 0 && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(0, end)
}

/** Without blanks at both ends. */
export function trimBlanks(text: string): string {
  return trimBlanksEnd(text.slice(skipBlanks(text, 0)))
}

/** Without spaces at the end: bpchar counts no other blank. */
export function trimSpacesEnd(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 0x20) end--
  return text.slice(0, end)
}
