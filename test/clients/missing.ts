import type { Test } from 'tap'

/** Says on stderr and in the results that a client is not on this machine, so that nobody takes its silence for success. */
export function skipMissing(t: Test, client: string): void {
  const line = `SKIPPED: ${client} is not on this machine; \`bash test/clients/install\` installs it`
  process.stderr.write(`${line}\n`)
  t.pass(line, { skip: true })
}
