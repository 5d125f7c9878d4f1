/*
 * A script is a sequence of requests that is written down first and then sent to two servers: what one of them answers changes nothing in what
 * is asked next, but for the names and ids that it gave.
 */

/** A value of an earlier answer: `path` into the answer of the step with that number. */
export class Reference {
  readonly step: number
  readonly path: readonly string[]

  constructor(step: number, path: readonly string[]) {
    this.step = step
    this.path = path
  }

  toString(): string {
    return `of step ${this.step}`
  }
}

/** A request; References stand in it where earlier answers are needed. */
export interface Step {
  /** What it is known by among the steps of its script. */
  readonly label: string
  readonly method: string
  readonly request: object
}

/** Whose request it is: a session by name, or a Reference to one. */
type Session = Reference | string

type Transaction = { readonly session: Session; readonly id: Reference | Buffer }

const WRITE = { readWrite: {} }

/** Collects the steps of a script. Each method adds one, and gives what later ones need of its answer. */
export class Script {
  readonly steps: Step[] = []
  /** Transactions that may be open at the end. */
  readonly begun: Transaction[] = []
  readonly database = new Reference(-1, [])
  /** A session of the database that there is not. */
  readonly nobody = new Reference(-1, ['name'])
  readonly #labels = new Map<string, number>()
  #seqno = 0

  /** Any request; its label is the method's name and what is given. */
  call(method: string, request: object, label = ''): number {
    const name = `${method} ${label}`.trim()
    const known = this.#labels.get(name) ?? 0
    this.#labels.set(name, known + 1)
    this.steps.push({ label: known === 0 ? name : `${name} #${known + 1}`, method, request })
    return this.steps.length - 1
  }

  session(request: object = {}): Reference {
    const step = this.call('createSession', { database: this.database, ...request })
    return new Reference(step, ['name'])
  }

  begin(session: Session, options: object = WRITE, label = JSON.stringify(options)): Transaction {
    const step = this.call('beginTransaction', { session, options }, label)
    return this.#began(session, new Reference(step, ['id']))
  }

  /** ExecuteSql in a transaction of its own, begun inline and not ended. */
  first(session: Session, sql: string, options: object = WRITE): Transaction {
    const request = { session, transaction: { begin: options }, seqno: this.seqno(), sql }
    const step = this.call('executeSql', request, `begin ${sql}`)
    return this.#began(session, new Reference(step, ['metadata', 'transaction', 'id']))
  }

  /** ExecuteSql: in a transaction, or, for a session, as a single read. */
  sql(where: Transaction | Session, sql: string, request: object = {}, label = sql): number {
    return this.call('executeSql', { ...this.at(where), sql, ...request }, label)
  }

  read(where: Transaction | Session, table: string, request: object, label = ''): number {
    const { columns = ['id'], ...rest } = request as { columns?: readonly string[] }
    const shown = label === '' ? `${table} ${JSON.stringify(request)}` : `${table} ${label}`
    return this.call('read', { ...this.at(where), table, columns, ...rest }, shown)
  }

  commit(where: Transaction, mutations: readonly object[] = [], label = ''): number {
    const { session, id } = where
    return this.call('commit', { session, transactionId: id, mutations }, label)
  }

  /** A Commit of mutations alone. */
  write(session: Session, mutations: readonly object[], label = ''): number {
    const shown = label === '' ? JSON.stringify(mutations) : label
    return this.call('commit', { session, singleUseTransaction: WRITE, mutations }, shown)
  }

  rollback({ session, id }: Transaction): number {
    return this.call('rollback', { session, transactionId: id })
  }

  ddl(...statements: readonly string[]): number {
    const request = { database: this.database, statements }
    return this.call('updateDatabaseDdl', request, statements.join('; '))
  }

  seqno(): number {
    this.#seqno++
    return this.#seqno
  }

  /** The session, the transaction and a new seqno of a request. */
  at(where: Transaction | Session): object {
    if (typeof where === 'string' || where instanceof Reference) return { session: where }
    return { session: where.session, transaction: { id: where.id }, seqno: this.seqno() }
  }

  #began(session: Session, id: Reference): Transaction {
    const transaction = { session, id }
    this.begun.push(transaction)
    return transaction
  }
}

/** A script by name. */
export interface Scenario {
  readonly name: string
  /** It changes the schema: it gets a database of its own. */
  readonly isDdl?: boolean
  write(script: Script): void
}

/** google.protobuf.Value of plain values: text, boolean, number, null, lists; objects are structs. */
export function value(of: unknown): object {
  if (of === null) return { nullValue: 0 }
  if (typeof of === 'boolean') return { boolValue: of }
  if (typeof of === 'number') return { numberValue: of }
  if (Array.isArray(of)) return { listValue: { values: of.map(value) } }
  if (typeof of === 'object') return { structValue: fields(of as Record<string, unknown>) }
  return { stringValue: String(of) }
}

/** google.protobuf.ListValue. */
export function list(...of: readonly unknown[]): object {
  return { values: of.map(value) }
}

/** google.protobuf.Struct. */
export function fields(of: Readonly<Record<string, unknown>>): object {
  return { fields: Object.fromEntries(Object.entries(of).map(([name, one]) => [name, value(one)])) }
}

/** `p1`, `p2` ... with types where they are given. */
export function params(values: readonly unknown[], types: readonly unknown[] = []): object {
  const named = <T>(of: readonly T[]) => of.map((one, index) => [`p${index + 1}`, one] as const)
  const given = named(types).filter(([, type]) => type !== undefined)
  return {
    params: fields(Object.fromEntries(named(values))),
    paramTypes: Object.fromEntries(
      given.map(([name, type]) => [name, typeof type === 'string' ? { code: type } : type]),
    ),
  }
}

/** A mutation that writes rows: `insert`, `update`, `insertOrUpdate`, `replace`. */
export function mutation(
  kind: 'insert' | 'update' | 'insertOrUpdate' | 'replace',
  table: string,
  columns: readonly string[],
  ...rows: readonly (readonly unknown[])[]
): object {
  return { [kind]: { table, columns, values: rows.map((row) => list(...row)) } }
}

export function deletion(table: string, keySet: object): object {
  return { delete: { table, keySet } }
}
