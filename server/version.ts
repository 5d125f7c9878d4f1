import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from './base/package-root.ts'

/** Spanwire's own version. */
export function version(): string {
  const file = join(PACKAGE_ROOT, 'package.json')
  const { version: text } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return text
}
