import type { CompanionDatabase, PinnedConnection } from '../../server/companion/companion-types.ts'
import { FrontendWriter } from '../../server/companion/frontend-messages.ts'
import type { ServerConnection } from '../../server/companion/server-connection.ts'
import { findDifference } from '../../server/schema/difference.ts'
import { emitSpannerDdl } from '../../server/schema/emit-spanner-ddl.ts'
import {
  type MappingInput,
  type MappingResult,
  mapPhysical,
} from '../../server/schema/physical-mapping.ts'
import {
  type SequenceKind,
  type StoredObject,
  toPhysicalSchema,
} from '../../server/schema/physical-schema.ts'
import { bindRows } from '../../server/schema/schema-state.ts'
import {
  type CatalogQuery,
  parseSnapshot,
  readCommittedSnapshot,
  readPinnedSnapshot,
  type Snapshot,
} from '../../server/schema/snapshot.ts'
import { findColumnStorage } from '../../server/types/storage.ts'
import { makeWorkspace, startTestCluster } from '../companion/test-cluster.ts'

/** A PostgreSQL of the test's own, with as many empty databases as it wants. */
export interface CatalogFixture {
  /** A database with the roles that tests name as owners. */
  makeDatabase(): Promise<TestDatabase>
  stop(): Promise<void>
}

export interface TestDatabase {
  /** The parts of the companion that the schema room uses, on connections of the test's own. */
  readonly companion: CompanionDatabase
  /** A connection inside BEGIN. */
  pin(): Promise<TestPinned>
  readonly query: CatalogQuery
  run(...statements: string[]): Promise<void>
  snapshot(): Promise<Snapshot>
  committedSnapshot(): Promise<Snapshot>
}

export async function startCatalogFixture(): Promise<CatalogFixture> {
  const workspace = await makeWorkspace()
  const cluster = await startTestCluster(workspace)
  const connections: ServerConnection[] = []
  const connect = async (database: string): Promise<ServerConnection> => {
    const signal = AbortSignal.timeout(60_000)
    const connection = await cluster.connect({ user: 'spanwire', database, signal })
    connections.push(connection)
    return connection
  }
  const admin = await connect('postgres')
  await admin.script('CREATE ROLE alice; CREATE ROLE bob')
  let count = 0
  return {
    makeDatabase: async () => {
      const name = `d${++count}`
      await admin.script(`CREATE DATABASE ${name}`)
      return toTestDatabase(await connect(name), () => connect(name))
    },
    stop: async () => {
      await Promise.all(connections.map((connection) => connection.close()))
      await cluster.stop()
      await workspace.remove()
    },
  }
}

/** A pinned connection whose client speaks SQL text. */
export interface TestPinned extends PinnedConnection {
  run(...statements: string[]): Promise<void>
}

function notHere(): never {
  throw new Error('not a part of this double')
}

function toTestDatabase(
  connection: ServerConnection,
  connect: () => Promise<ServerConnection>,
): TestDatabase {
  const query: CatalogQuery = (text, params, options) =>
    connection.ask(new FrontendWriter(), { text, params, ...options })
  const companion: CompanionDatabase = {
    name: 'test',
    analyse: notHere,
    read: notHere,
    readLoaded: notHere,
    probeCopy: notHere,
    alterRoles: notHere,
    pin: notHere,
    service: query,
    serviceTransaction: (statements) => companion.changeAndRead(statements, async () => undefined),
    changeAndRead: async (statements, read) => {
      try {
        await connection.script(['BEGIN', ...statements].join(';\n'))
        const result = await read(query)
        await connection.script('COMMIT')
        return result
      } catch (error) {
        await connection.script('ROLLBACK')
        throw error
      }
    },
  }
  return {
    query,
    companion,
    pin: async () => {
      const pinned = await connect()
      await pinned.script('BEGIN')
      return {
        execute: notHere,
        analyse: notHere,
        read: notHere,
        readLoaded: notHere,
        query: (text, params) => pinned.query(text, params),
        savepoint: notHere,
        releaseSavepoint: notHere,
        rollbackTo: notHere,
        release: () => pinned.script('ROLLBACK'),
        lost: pinned.lost,
        run: async (...statements) => {
          for (const statement of statements) await pinned.script(statement)
        },
      }
    },
    run: async (...statements) => {
      for (const statement of statements) await connection.script(statement)
    },
    snapshot: () => readPinnedSnapshot(query),
    committedSnapshot: () => readCommittedSnapshot(query),
  }
}

export const EMPTY_SNAPSHOT: Snapshot = parseSnapshot([])

/** A schema as the tests follow it: the snapshot, and the stored rows by OID. */
export interface Mapped {
  readonly snapshot: Snapshot
  readonly rows: readonly StoredObject[]
  readonly result: MappingResult
  /** Spanner's statements from the state before. */
  readonly ddl: readonly string[]
}

/** Maps the difference between two states. */
export function mapTo(
  before: Mapped | undefined,
  snapshot: Snapshot,
  options: { sequenceKind?: SequenceKind; isEmpty?: MappingInput['isEmpty'] } = {},
): Mapped {
  const old = before?.snapshot ?? EMPTY_SNAPSHOT
  let ids = before?.rows.length ?? 0
  const result = mapPhysical({
    added: new Map(),
    written: new Set(),
    difference: findDifference(old, snapshot),
    stored: bindRows(old, before?.rows ?? []),
    storageOf: findColumnStorage,
    sequenceKind: options.sequenceKind ?? 'bit-reversed',
    newId: () => `id${++ids}`,
    isEmpty: options.isEmpty ?? (() => false),
  })
  const ddl = emitSpannerDdl(
    toPhysicalSchema(before?.rows ?? []),
    toPhysicalSchema(result.rows),
    result.backfills,
  )
  return { snapshot, rows: result.rows, result, ddl: ddl.map((statement) => statement.sql) }
}
