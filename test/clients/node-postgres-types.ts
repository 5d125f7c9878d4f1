import type pg from 'pg'
import type { Test } from 'tap'
import { TYPED_VALUES, typedTable } from './values.ts'

/** Text cells as they come. node-postgres reads no binary ones: it takes all bytes for UTF-8. */
const RAW = { getTypeParser: () => (value: unknown) => value } as unknown as pg.CustomTypesConfig

/** node-postgres sends strings in text and Buffers in binary format. */
type Value = string | Buffer | null

/** Every type as parameter, in text and in binary format, and as result, computed and through a table. */
export async function checkTypes(t: Test, client: pg.Client): Promise<void> {
  for (const { type, values } of TYPED_VALUES) {
    await t.test(type, async (t) => {
      const column = new TypedColumn(client, type)
      t.strictSame(await column.constants(values), values, 'as constants')
      t.strictSame(await column.insert(0, values), values, 'back from INSERT')
      const binary = await column.binary(values)
      t.strictSame(await column.constants(binary), values, 'as constants sent in binary')
      t.strictSame(await column.insert(100, binary), values, 'sent in binary')
      t.strictSame(await column.readAll(), [...values, ...values], 'read again')
      for (const id of [0, 100]) {
        t.equal(await column.readOne(id), values[0], 'read by a prepared statement')
      }
    })
  }
}

class TypedColumn {
  readonly #client: pg.Client
  readonly #type: string
  readonly #table: string

  constructor(client: pg.Client, type: string) {
    this.#client = client
    this.#type = type
    this.#table = typedTable(type)
  }

  /** Values as a row that no table has a part in. */
  async constants(values: readonly Value[]): Promise<readonly unknown[]> {
    const list = values.map((_, i) => `$${i + 1}::${this.#type} as v${i}`)
    const [row = {}] = await this.#rows(`select ${list.join(', ')}`, values)
    return Object.values(row)
  }

  /** Values in binary format: PostgreSQL's own typsend makes it. */
  async binary(values: readonly (string | null)[]): Promise<readonly Value[]> {
    const regtype = this.#type.replace(/\(.*?\)/, '')
    const found = await this.#rows(
      `select typsend::text as send from pg_type where oid = '${regtype}'::regtype`,
    )
    const send = String(found[0]?.['send'])
    const list = values.map((_, i) => `encode(${send}($${i + 1}::${this.#type}), 'hex') as v${i}`)
    const [row = {}] = await this.#rows(`select ${list.join(', ')}`, values)
    return Object.values(row).map((hex) => (hex === null ? null : Buffer.from(String(hex), 'hex')))
  }

  async insert(firstId: number, values: readonly Value[]): Promise<readonly unknown[]> {
    const list = values.map((_, i) => `(${firstId + i}, $${i + 1})`)
    const text = `insert into ${this.#table} values ${list.join(', ')} returning v`
    return (await this.#rows(text, values)).map((row) => row['v'])
  }

  async readAll(): Promise<readonly unknown[]> {
    const text = `select v from ${this.#table} where id < 1000 order by id`
    return (await this.#rows(text)).map((row) => row['v'])
  }

  async readOne(id: number): Promise<unknown> {
    const text = `select v from ${this.#table} where id = $1`
    const { rows } = await this.#client.query<Record<string, unknown>>({
      name: text,
      text,
      values: [id],
      types: RAW,
    })
    return rows[0]?.['v']
  }

  async #rows(
    text: string,
    values: readonly Value[] = [],
  ): Promise<readonly Record<string, unknown>[]> {
    const { rows } = await this.#client.query<Record<string, unknown>>({
      text,
      values: [...values],
      types: RAW,
    })
    return rows
  }
}
