// Makes the program that users start, dist/spanwire/main.js, of server/ and the packages that serve each statement: six files
// in place of some 440, which a start need not find, read and link one by one. Two packages stay outside: the parser
// reads its WebAssembly from beside itself, and only Cloud Spanner needs Google's credentials.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const outdir = join(root, 'dist', 'spanwire')
rmSync(outdir, { recursive: true, force: true })
await build({
  absWorkingDir: root,
  entryPoints: ['server/main.ts'],
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // What grpc-js needs the loader for (channelz and xDS), nothing here uses.
  external: ['google-auth-library', 'libpg-query', '@grpc/proto-loader'],
  // CommonJS packages in an ES module call `require` for what is Node's.
  banner: {
    js: "import { createRequire as createRequireHere } from 'node:module'\nconst require = createRequireHere(import.meta.url)",
  },
  legalComments: 'external',
  logLevel: 'warning',
})
