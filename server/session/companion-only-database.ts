import type { BackendDatabase } from '../backend/backend.ts'
import type { Capabilities } from '../backend/capabilities.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { NO_USER_FUNCTIONS, NO_USER_TYPES } from '../schema/logical-schema.ts'
import type { DatabaseSchema } from '../schema/schema-types.ts'

/**
 * Tools expect a database `postgres` to connect to. Where Spanner has none, the companion alone stands for it: catalogs and
 * CREATE DATABASE work, tables do not.
 */
export function companionOnlyBackend(id: string): BackendDatabase {
  const refuse = () => {
    throw noSuchDatabase(id)
  }
  return {
    id,
    capabilities: NO_CAPABILITIES,
    singleUse: refuse,
    beginReadOnly: refuse,
    beginReadWrite: refuse,
    executePartitionedDml: async () => refuse(),
    updateDdl: async () => refuse(),
    getDdl: async () => [],
    close: async () => undefined,
  }
}

export function companionOnlySchema(id: string): DatabaseSchema {
  return {
    current: {
      version: 0n,
      relations: new Map(),
      sequences: new Map(),
      userTypes: NO_USER_TYPES,
      userFunctions: NO_USER_FUNCTIONS,
      tablesByPhysicalName: new Map(),
    },
    declared: [],
    refresh: async () => false,
    renameRole: async () => undefined,
    begin: async () => {
      throw noSuchDatabase(id)
    },
  }
}

const NO_CAPABILITIES: Capabilities = {
  concurrentWrites: true,
  survivesStatementError: true,
  forUpdate: false,
  uuidType: false,
  interval: false,
  distinctFrom: false,
  generateSeries: false,
  jsonbFunctions: false,
  aggregateOrderBy: false,
  safeNumericKeysAndNullFloats: true,
  partitionedDml: false,
  sequenceStateIsNext: false,
  repeatableRead: false,
}

function noSuchDatabase(id: string): PgError {
  return new PgError(
    SQL_STATE.featureNotSupported,
    `the Spanner instance has no database "${id}" to keep tables in`,
    { hint: `Connect to another database, or make one with CREATE DATABASE "${id}".` },
  )
}
