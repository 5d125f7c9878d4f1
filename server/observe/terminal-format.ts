/** One line of the log as a person reads it: time of day, level unless it is info, the sentence, and the rest as key=value. */
export function formatForTerminal(line: string): string {
  const { time, level, msg, err, ...rest } = parseObject(line)
  const clock = typeof time === 'string' ? `${time.slice(11, 19)} ` : ''
  const severity = level === 'info' ? '' : `${String(level).toUpperCase()}: `
  const pairs = Object.entries(rest).map(([key, value]) => ` ${key}=${format(value)}`)
  const stack = hasStack(err) ? `\n${err.stack}` : ''
  return `${clock}${severity}${String(msg ?? '')}${pairs.join('')}${stack}\n`
}

function format(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
}

function hasStack(value: unknown): value is { readonly stack: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'stack' in value &&
    typeof value.stack === 'string'
  )
}

function parseObject(line: string): Readonly<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(line)
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {}
}
