import { type Instance, Spanner } from '@google-cloud/spanner'
import { codeOf, type Operation } from './node-operation.ts'

/** The id of the database that the operations make, and drop at the end. */
export const DATABASE_ID = 'clients'

const SCHEMA = [
  `CREATE TABLE singers (
  singer_id bigint NOT NULL,
  name character varying(40) NOT NULL,
  born date,
  PRIMARY KEY(singer_id)
)`,
  `CREATE TABLE albums (
  singer_id bigint NOT NULL,
  album_id bigint NOT NULL,
  title character varying,
  price numeric,
  PRIMARY KEY(singer_id, album_id)
) INTERLEAVE IN PARENT singers ON DELETE CASCADE`,
  'CREATE INDEX singers_by_name ON singers (name)',
]

/** The database and its schema are made. */
export const CREATING: readonly Operation[] = [
  {
    name: 'createInstance',
    expected: 'READY',
    run: ({ spanner, instance }) => codeOf(createInstance(spanner, instance)),
  },
  {
    name: 'getMetadata of the instance',
    expected: 'READY',
    run: async ({ instance }) => {
      const [metadata] = await instance.getMetadata()
      return metadata.state
    },
  },
  {
    name: 'createDatabase',
    expected: DATABASE_ID,
    run: async ({ instance, database }) => {
      const [, operation] = await instance.createDatabase(DATABASE_ID, {
        databaseDialect: Spanner.POSTGRESQL,
      })
      await operation.promise()
      return lastPart(database.formattedName_)
    },
  },
  {
    name: 'getDatabaseDialect',
    expected: 'POSTGRESQL',
    run: ({ database }) => database.getDatabaseDialect(),
  },
  {
    name: 'createDatabase of one that exists',
    expected: { code: 6 },
    run: ({ instance }) =>
      codeOf(instance.createDatabase(DATABASE_ID, { databaseDialect: Spanner.POSTGRESQL })),
  },
  {
    name: 'updateSchema',
    expected: 'it ended',
    run: async ({ database }) => {
      const [operation] = await database.updateSchema(SCHEMA)
      await operation.promise()
      return 'it ended'
    },
  },
  {
    name: 'updateSchema with a syntax error',
    expected: { code: 3 },
    run: ({ database }) => codeOf(database.updateSchema('CREATE TABLE nothing (id bigint')),
  },
  {
    name: 'getSchema',
    expected: SCHEMA,
    run: async ({ database }) => {
      const [statements] = await database.getSchema()
      return statements
    },
  },
  {
    name: 'getDatabases',
    expected: [DATABASE_ID],
    run: async ({ instance }) => {
      const [databases] = await instance.getDatabases()
      return databases.map((database) => database.formattedName_.split('/').at(-1))
    },
  },
]

/** The id in a resource name. */
function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

async function createInstance(spanner: Spanner, instance: Instance): Promise<unknown> {
  const id = lastPart(instance.formattedName_)
  const [configs] = await spanner.getInstanceConfigs()
  const [, operation] = await spanner.createInstance(id, {
    config: configs[0]?.name ?? '',
    nodes: 1,
    displayName: id,
  })
  await operation.promise()
  const [metadata] = await instance.getMetadata()
  return metadata.state
}

/** The last operations: nothing stays. */
export const DROPPING: readonly Operation[] = [
  {
    name: 'updateSchema that drops',
    expected: [SCHEMA[0]],
    run: async ({ database }) => {
      const [operation] = await database.updateSchema([
        'DROP INDEX singers_by_name',
        'DROP TABLE albums',
      ])
      await operation.promise()
      const [statements] = await database.getSchema()
      return statements
    },
  },
  {
    name: 'delete of the database',
    expected: [false],
    run: async ({ instance, database }) => {
      await database.delete()
      return instance.database(DATABASE_ID).exists()
    },
  },
]
