import type { FaultySpanwire } from '../faulty-spanwire.ts'
import { clientOf, createDatabase } from './run-clients.ts'
import { Tally } from './tally.ts'

const DATABASE = 'counter'

export interface CounterReport {
  /** What the row says in the end. */
  readonly total: number
  readonly tally: Tally
  readonly elapsedMs: number
}

/** Clients that all increment one row, `times` times each: read, then add, at the isolation level that they get unasked. */
export async function runCounter(
  faulty: FaultySpanwire,
  clients: number,
  times: number,
): Promise<CounterReport> {
  await createDatabase(faulty, DATABASE)
  const setup = clientOf(faulty, DATABASE)
  await setup.read('create table counter (id bigint primary key, n bigint not null)')
  await setup.read('insert into counter (id, n) values (1, 0)')
  const tally = new Tally()
  const startedMs = performance.now()
  const increments = Array.from({ length: clients }, async () => {
    const client = clientOf(faulty, DATABASE)
    for (let done = 0; done < times; done++) {
      const outcome = await client.transaction('begin', async (query) => {
        await query('select n from counter where id = 1')
        await query('update counter set n = n + 1 where id = 1')
      })
      tally.add(outcome)
    }
    await client.end()
  })
  await Promise.all(increments)
  const elapsedMs = performance.now() - startedMs
  const [row] = await setup.read('select n from counter')
  await setup.end()
  return { total: Number(row?.['n']), tally, elapsedMs }
}
