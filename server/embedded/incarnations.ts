import type { Connect } from '../companion/postgres-cluster.ts'

/*
 * A transaction's id of PostgreSQL (xid) that nothing of it reached the disk for is given out again after a crash. Each start of the server is
 * an incarnation with a number and the first xid that it may give out, written down before anybody gets one. An xid of an earlier
 * incarnation is its own only below the first xid of the next.
 */

/** A transaction of PostgreSQL for good: an xid and the incarnation of the server that gave it. */
export interface TransactionMark {
  readonly incarnation: number
  /** xid8, in decimal. */
  readonly xid: string
}

const DEADLINE_MS = 30_000
/** Incarnations that are remembered: a client that asks for a transaction has not slept through more. */
const REMEMBERED = 1_000

/** next_xid is `epoch:xid` (pg_control_checkpoint): what recovery, or else the shutdown before, found to be free. */
const RECORD = `
CREATE TABLE IF NOT EXISTS public.incarnations (number bigint PRIMARY KEY, first_xid xid8 NOT NULL);
ALTER TABLE public.incarnations ADD COLUMN IF NOT EXISTS secret uuid NOT NULL DEFAULT gen_random_uuid();
INSERT INTO public.incarnations (number, first_xid) SELECT COALESCE((SELECT max(number) FROM public.incarnations), 0) + 1,
  (split_part(next_xid, ':', 1)::numeric * 4294967296 + split_part(next_xid, ':', 2)::numeric)::text::xid8 FROM pg_control_checkpoint();
DELETE FROM public.incarnations WHERE number <= (SELECT max(number) FROM public.incarnations) - ${REMEMBERED};`

/** The starts of an embedded server's PostgreSQL; kept in its database `postgres`. */
export class Incarnations {
  #firstXids: ReadonlyMap<number, bigint> = new Map()
  #secrets: ReadonlyMap<number, string> = new Map()
  #current = 0

  /** The number of the server that runs. */
  get current(): number {
    return this.#current
  }

  /** To be called at each start of the server, before anything else connects. */
  async record(connect: Connect, superuser: string): Promise<void> {
    const signal = AbortSignal.timeout(DEADLINE_MS)
    const connection = await connect({ user: superuser, database: 'postgres', signal })
    try {
      await connection.script(RECORD)
      const rows = await connection.query(
        'SELECT number::text AS number, first_xid::text AS first, secret::text AS secret FROM public.incarnations',
      )
      this.#firstXids = new Map(
        rows.map((row) => [Number(row['number']), BigInt(row['first'] ?? '0')]),
      )
      this.#secrets = new Map(rows.map((row) => [Number(row['number']), row['secret'] ?? '']))
      this.#current = Math.max(...this.#firstXids.keys())
    } finally {
      await connection.close()
    }
  }

  /** What the ids of an incarnation's transactions are sealed with; undefined where it is not remembered. */
  secretOf(incarnation: number): string | undefined {
    return this.#secrets.get(incarnation)
  }

  /** Whether what the server that runs now says of the xid is said of this transaction: false where the xid may belong to another. */
  isOwn({ incarnation, xid }: TransactionMark): boolean {
    if (incarnation === this.#current) return true
    const nextFirst = this.#firstXids.get(incarnation + 1)
    return nextFirst !== undefined && BigInt(xid) < nextFirst
  }
}
