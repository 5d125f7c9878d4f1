import { test } from 'tap'
import { parseBenchOptions } from './options.ts'

test('without flags, all workloads are run in windows of a second', async (t) => {
  t.strictSame(parseBenchOptions([], {}, '/src/spanwire'), {
    benchDir: '/src/shared/bench',
    workloads: ['a', 'b', 'c', 'd', 'k', 'e', 'j', 'l', 'gt', 'gb'],
    concurrency: [1, 16],
    duration: '1s',
    warm: '3s',
    repeat: 3,
    connections: 200,
    starts: 5,
    json: undefined,
    pgadapterClasspath: undefined,
  })
})

test('a flag wins over its variable, and PGAdapter is warmed longer', async (t) => {
  const environment = { SPANWIRE_BENCH_DIR: '/bench', SPANWIRE_BENCH_PGADAPTER: '/jars/*' }
  t.match(parseBenchOptions([], environment, '/src'), {
    benchDir: '/bench',
    pgadapterClasspath: '/jars/*',
    warm: '15s',
  })
  const flags = ['--pgadapter-classpath', '/others/*', '--warm', '500ms']
  t.match(parseBenchOptions(flags, environment, '/src'), {
    pgadapterClasspath: '/others/*',
    warm: '500ms',
  })
  t.match(parseBenchOptions(['--pgadapter-classpath='], environment, '/src'), {
    pgadapterClasspath: undefined,
    warm: '3s',
  })
})

test('what makes no sense is refused by name', async (t) => {
  const refused = [
    [['--workloads', 'a,z'], /no workload z/],
    [['--concurrency', '1,0'], /--concurrency: 0/],
    [['--repeat', 'often'], /--repeat: often/],
    [['--duration', '3'], /--duration: 3/],
    [['--warm', '3h'], /--warm: 3h/],
    [['--fast'], /--fast/],
    [['a'], /a/],
  ] as const
  for (const [args, message] of refused) {
    const error = { name: 'BenchError', message }
    t.throws(() => parseBenchOptions(args, {}, '/src'), error, args.join(' '))
  }
})

test('--help asks for nothing to be run', async (t) => {
  t.equal(parseBenchOptions(['--help'], {}, '/src'), undefined)
})
