import { LruCache } from '../base/lru-cache.ts'
import { PgError } from '../base/pg-error.ts'
import type { CompanionDatabase, SessionContext } from '../companion/companion-types.ts'
import type { LogicalSchema } from '../schema/logical-schema.ts'
import { type InlineBody, onlyExpression, userFunctionsIn } from '../sql/inline-calls.ts'
import { readNodeText } from '../sql/node-text.ts'
import type { InlineSource } from '../sql/user-functions.ts'

/** Bodies that one database keeps. */
const MAX_CACHED_BODIES = 1024

/** In whose session bodies are read. */
export interface BodyReader {
  readonly session: SessionContext
  /** Tells the version of the schema, and the settings that names and constants are read by. */
  readonly sessionKey: string
  readonly signal: AbortSignal
}

/** What a body was found to be; undefined: it stays where it is. */
interface FoundBody {
  readonly body: InlineBody | undefined
  /** The functions of clients that it calls itself. */
  readonly calls: ReadonlySet<number>
}

const NOTHING_FOUND: FoundBody = { body: undefined, calls: new Set() }

/** The bodies of clients' functions, as PostgreSQL reads them in a client's session. */
export class FunctionBodies {
  readonly #companion: CompanionDatabase
  readonly #cache = new LruCache<string, FoundBody>(MAX_CACHED_BODIES)

  constructor(companion: CompanionDatabase) {
    this.#companion = companion
  }

  /** The bodies that can stand in the place of calls in a tree, and of calls in these, by pg_proc.oid. */
  async find(
    tree: string,
    schema: LogicalSchema,
    reader: BodyReader,
  ): Promise<ReadonlyMap<number, InlineBody>> {
    const bodies = new Map<number, InlineBody>()
    const seen = new Set<number>()
    const left = [...userFunctionsIn(tree)]
    for (let oid = left.pop(); oid !== undefined; oid = left.pop()) {
      const source = schema.userFunctions.functions.get(oid)?.inline
      if (source === undefined || seen.has(oid)) continue
      seen.add(oid)
      const key = `${oid}\0${reader.sessionKey}`
      const found = this.#cache.get(key) ?? (await this.#analyse(source, reader))
      this.#cache.set(key, found)
      if (found.body !== undefined) bodies.set(oid, found.body)
      left.push(...found.calls)
    }
    return bodies
  }

  async #analyse(source: InlineSource, { session, signal }: BodyReader): Promise<FoundBody> {
    const { text, argumentTypes, resultType, isStrict } = source
    try {
      const request = { text, paramTypes: argumentTypes, session, signal }
      const { tree = '', fields } = await this.#companion.analyse(request)
      const isWhole = fields?.length === 1 && fields[0]?.typeOid === resultType
      const expr = isWhole ? onlyExpression(readNodeText(tree)) : undefined
      if (expr === undefined) return NOTHING_FOUND
      const body = { expr, isStrict, argumentCount: argumentTypes.length, resultType }
      return { body, calls: userFunctionsIn(tree) }
    } catch (error) {
      // What is wrong with it, the call will tell.
      if (error instanceof PgError) return NOTHING_FOUND
      throw error
    }
  }
}
