import { type Random, seededRandom } from '../../helpers/random.ts'
import { deletion, list, mutation, type Scenario, type Script } from './script.ts'

const A = ['a', 'b', 'c', 'z', null] as const
const N = ['1', '2', '5', '10', '20', '30', null] as const
const W = ['u', 'v', 'x', 'z', null] as const
const INDEXES = ['', 'k_v', 'k_vd', 'k_f'] as const

/** Statements that change rows and do not fail: the emulator gives up a transaction in which one has failed. */
const DML = [
  "UPDATE p SET note = 'n' WHERE id > 1",
  "UPDATE k SET v = v + 1 WHERE a = 'a'",
  'UPDATE k SET v = NULL WHERE b = 2',
  'DELETE FROM k WHERE v = 20',
  'DELETE FROM d WHERE n = 1',
  'DELETE FROM q WHERE true',
  "INSERT INTO p (id, name) VALUES (1, 'x') ON CONFLICT (id) DO NOTHING",
  'UPDATE self SET up = 1 WHERE id = 2',
  'UPDATE g SET n = n + 1 WHERE id = 1 RETURNING id, n',
] as const

const QUERIES = [
  'SELECT count(*) FROM k',
  'SELECT a, b, v, w FROM k ORDER BY a, b',
  'SELECT id, note FROM p ORDER BY id',
  'SELECT sum(v) FROM k',
  'SELECT nope FROM p',
] as const

/** A sequence of requests on one session that is made by chance. */
export function randomScenario(seed: number, steps: number): Scenario {
  return {
    name: `chance ${seed}`,
    write: (script) => {
      const chooser = new Chooser(script, seededRandom(seed))
      for (let step = 0; step < steps; step++) chooser.next()
      chooser.end()
    },
  }
}

class Chooser {
  readonly #script: Script
  readonly #random: Random
  readonly #session: ReturnType<Script['session']>
  #open: ReturnType<Script['begin']> | undefined

  constructor(script: Script, random: Random) {
    this.#script = script
    this.#random = random
    this.#session = script.session()
  }

  next(): void {
    const choice = this.#random.below(8)
    if (choice > 5) this.#read()
    else if (choice === 5) this.#script.sql(this.#open ?? this.#session, this.#random.pick(QUERIES))
    else if (this.#open === undefined) this.#outside(choice)
    else this.#inside(this.#open, choice)
  }

  /** What is there at the end. */
  end(): void {
    if (this.#open !== undefined) this.#script.commit(this.#open)
    for (const table of ['k', 'p', 'd', 'r', 'g'])
      this.#script.sql(this.#session, `SELECT * FROM ${table}`)
  }

  #outside(choice: number): void {
    if (choice > 2) this.#script.write(this.#session, this.#mutations())
    else this.#open = this.#script.begin(this.#session)
  }

  #inside(open: ReturnType<Script['begin']>, choice: number): void {
    if (choice > 1) {
      this.#script.sql(open, this.#random.pick(DML))
      return
    }
    if (choice === 1) this.#script.commit(open, this.#mutations())
    else this.#script.rollback(open)
    this.#open = undefined
  }

  #read(): void {
    const index = this.#random.pick(INDEXES)
    const columns = index === 'k_vd' ? ['a', 'b', 'w'] : ['a', 'b']
    const limit = this.#random.pick([0, 0, 1, 3])
    const where = this.#open ?? this.#session
    this.#script.read(where, 'k', { columns, index, limit, keySet: this.#keySet(index) })
  }

  #keySet(index: string): object {
    const random = this.#random
    if (random.chance(0.2)) return { all: true }
    if (random.chance(0.3)) return { keys: [list(...this.#key(index))] }
    const values = index === '' ? A : N
    const from = random.below(values.length - 1)
    const to = from + 1 + random.below(values.length - 1 - from)
    const bounds = [values[from], values[to]]
    // The emulator does not come back from a range that ends before it begins.
    const [first, last] = index === 'k_vd' ? bounds.toReversed() : bounds
    const start = random.pick(['startClosed', 'startOpen'])
    const end = random.pick(['endClosed', 'endOpen'])
    return { ranges: [{ [start]: list(first), [end]: list(last) }] }
  }

  #key(index: string): readonly unknown[] {
    const { pick } = this.#random
    if (index === '') return [pick(A), pick(N)]
    return index === 'k_vd' ? [pick(N), pick(W)] : [pick(N)]
  }

  /** One mutation: in which order several are checked is another matter. */
  #mutations(): readonly object[] {
    const { pick, below } = this.#random
    const kind = pick(['insert', 'update', 'insertOrUpdate', 'replace'] as const)
    const [a, b, v] = [pick(A.slice(0, 4)), pick(N.slice(0, 6)), pick(N)]
    switch (below(5)) {
      case 0:
        return [mutation(kind, 'k', ['a', 'b', 'v'], [a, b, v])]
      case 1:
        return [deletion('k', { keys: [list(pick(A), pick(N))] })]
      case 2:
        return [mutation(kind, 'r', ['id', 'pid'], [b, pick(['1', '2', null])])]
      case 3:
        return [deletion('k', { ranges: [{ startClosed: list(a), endClosed: list(a) }] })]
      default:
        return [mutation('insertOrUpdate', 'p', ['id', 'name', 'note'], [pick(['1', '7']), 'n', a])]
    }
  }
}
