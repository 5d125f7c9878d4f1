import { type ServiceError, status } from '@grpc/grpc-js'
import { connectTo, type EmbeddedClient, type Message } from '../../embedded/embedded-client.ts'
import { answerText, ddlText, errorText, merged } from './outcome.ts'
import { EMPTYING, ROWS, SCHEMA } from './schema.ts'
import { Reference, type Scenario, Script, type Step } from './script.ts'

/** Where scripts are sent. */
export interface Target {
  readonly address: string
  readonly instance: string
}

const STREAMS: Readonly<Record<string, boolean>> = {
  executeStreamingSql: true,
  streamingRead: true,
  batchWrite: true,
}

/** What each step of each scenario came to, by `scenario: step`. */
export async function runScenarios(
  target: Target,
  scenarios: readonly Scenario[],
): Promise<ReadonlyMap<string, string>> {
  const outcomes = new Map<string, string>()
  const shared = await open(target, 'shared')
  for (const [index, scenario] of scenarios.entries()) {
    const client = scenario.isDdl === true ? await open(target, `ddl-${index}`) : shared
    const script = new Script()
    scenario.write(script)
    const { statements } =
      scenario.isDdl === true
        ? await client.call('getDatabaseDdl', { database: client.database })
        : { statements: [] }
    const runner = new Runner(client, statements)
    for (const step of script.steps)
      outcomes.set(`${scenario.name}: ${step.label}`, await runner.run(step))
    for (const { session, id } of script.begun)
      await runner.call('rollback', { session, transactionId: id }).catch(() => undefined)
    if (client !== shared) {
      await client.call('dropDatabase', { database: client.database })
      client.close()
    } else await reset(shared)
  }
  shared.close()
  return outcomes
}

async function open(target: Target, id: string): Promise<EmbeddedClient> {
  const client = await connectTo(target, id)
  const made = await new Runner(client).call('updateDatabaseDdl', {
    database: client.database,
    statements: SCHEMA,
  })
  if (made.error !== undefined) throw new Error(made.error.message)
  await reset(client)
  return client
}

/** The rows that every script finds. */
async function reset({ call, session }: EmbeddedClient): Promise<void> {
  const singleUseTransaction = { readWrite: {} }
  for (const mutations of [EMPTYING, ROWS])
    await call('commit', { session, singleUseTransaction, mutations })
}

/** Sends the steps of a script one after the other. */
class Runner {
  readonly #client: EmbeddedClient
  /** GetDatabaseDdl before the script. */
  readonly #schema: readonly string[]
  readonly #answers: Message[] = []

  constructor(client: EmbeddedClient, schema: readonly string[] = []) {
    this.#client = client
    this.#schema = schema
  }

  /** Sends a step, and tells what it came to. */
  async run({ label, method, request }: Step): Promise<string> {
    const number = this.#answers.push(undefined) - 1
    try {
      const answer = await this.call(method, request)
      this.#answers[number] = structuredClone(answer)
      if (method === 'getDatabaseDdl')
        return ddlText(this.#schema, answer.statements?.slice(1) ?? [])
      return answerText(method, answer, isOrdered(method, request))
    } catch (error) {
      const { code } = error as Partial<ServiceError>
      if (code === undefined) throw error
      if (code === status.UNAVAILABLE)
        throw new Error(`the server died of ${label}`, { cause: error })
      return errorText(error as ServiceError)
    }
  }

  async call(method: string, request: object): Promise<Message> {
    const resolved = this.#resolve(request) as object
    if (STREAMS[method] !== true) return this.#ended(await this.#client.call(method, resolved))
    const messages = await this.#client.stream(resolved, method as 'streamingRead').messages
    return method === 'batchWrite' ? { responses: messages } : merged(messages)
  }

  /** An operation when it is over. */
  async #ended(answer: Message): Promise<Message> {
    let operation = answer
    const isOperation = typeof answer.name === 'string' && answer.name.includes('/operations/')
    while (isOperation && operation.done !== true)
      operation = await this.#client.call('getOperation', { name: answer.name })
    return operation
  }

  #resolve(of: unknown): unknown {
    if (of instanceof Reference) return this.#find(of)
    if (Buffer.isBuffer(of) || typeof of !== 'object' || of === null) return of
    if (Array.isArray(of)) return of.map((one) => this.#resolve(one))
    return Object.fromEntries(Object.entries(of).map(([key, one]) => [key, this.#resolve(one)]))
  }

  /** What a step did not give is nobody's: text of a session, bytes of an id. */
  #find({ step, path }: Reference): unknown {
    if (step < 0 && path.length === 0) return this.#client.database
    let found: Message = this.#answers[step]
    for (const key of path) found = found?.[key]
    if (found !== undefined) return typeof found === 'string' ? found : Buffer.from(found)
    return path.at(-1) === 'name' ? `${this.#client.database}/sessions/none` : Buffer.from('none')
  }
}

function isOrdered(method: string, request: object): boolean {
  const { sql = '' } = request as { sql?: string }
  return /read/i.test(method) || /order by/i.test(sql)
}
