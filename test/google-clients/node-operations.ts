import { CREATING, DROPPING } from './node-admin-operations.ts'
import type { Operation } from './node-operation.ts'
import { READING } from './node-read-operations.ts'
import { WRITING } from './node-write-operations.ts'

/** What `@google-cloud/spanner` is asked to do, in this order. */
export const NODE_OPERATIONS: readonly Operation[] = [
  ...CREATING,
  ...WRITING,
  ...READING,
  ...DROPPING,
]
