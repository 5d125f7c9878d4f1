import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { COMMAND_FLAGS, OPTIONS } from '../server/config/options.ts'

const PAGES = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'],
  ...readdirSync('docs').map((name) => join('docs', name)),
]

function allOf(pattern: RegExp, text: string): readonly string[] {
  return [...text.matchAll(pattern)].map(([, found = '']) => found)
}

t.test('what pages refer to is there', async (t) => {
  let count = 0
  for (const page of PAGES) {
    const text = readFileSync(page, 'utf8')
    for (const link of allOf(/\]\(([^)#:]+)(?:#[^)]*)?\)/g, text)) {
      t.ok(existsSync(join(dirname(page), link)), `${page}: ${link}`)
      count++
    }
    for (const file of allOf(/`((?:[a-z]+\/)+[a-z-]+\.(?:ts|js|yaml|md))`/g, text)) {
      t.ok(existsSync(file) || existsSync(join('server', file)), `${page}: ${file}`)
      count++
    }
  }
  t.ok(count > 20)
})

t.test('flags that users are told to type exist', async (t) => {
  const known = new Set([
    ...Object.values(OPTIONS).map(({ name }) => name),
    ...Object.keys(COMMAND_FLAGS),
  ])
  const told = ['README.md', 'docs/operations.md', 'docs/limitations.md'].flatMap((page) =>
    allOf(/(?:npm start -- (?:--\S+ \S+ )*|`)--([a-z-]+)/g, readFileSync(page, 'utf8')),
  )
  t.ok(told.length > 5)
  for (const flag of told) t.ok(known.has(flag), `--${flag}`)
})
