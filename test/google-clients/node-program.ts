import { Spanner } from '@google-cloud/spanner'
import { DATABASE_ID } from './node-admin-operations.ts'
import { NODE_OPERATIONS } from './node-operations.ts'

/*
 * An application of Google's client, as a process of its own: SPANNER_EMULATOR_HOST is where it finds its server, the argument is the
 * name of the instance. It writes what each operation gave, a line of JSON for each.
 */

const [, projectId = '', , instanceId = ''] = (process.argv[2] ?? '').split('/')
const spanner = new Spanner({ projectId })
const instance = spanner.instance(instanceId)
const database = instance.database(DATABASE_ID)
for (const { name, run } of NODE_OPERATIONS) {
  const value = await run({ spanner, instance, database }).catch((error: unknown) => ({
    failure: String(error),
  }))
  process.stdout.write(`${JSON.stringify({ name, value })}\n`)
}
spanner.close()
