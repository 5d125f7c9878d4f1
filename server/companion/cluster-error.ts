/** Why a cluster cannot run. */
export type ClusterErrorKind =
  /** No PostgreSQL binaries, or ones that do not run here. */
  | 'binaries'
  /** Another process runs a server on the data directory. */
  | 'in-use'
  /** The data directory was made by another major version. */
  | 'wrong-major'
  /** The directory cannot be read or written by the system user that runs the server. */
  | 'unreadable'
  /** The directory holds something, but no PostgreSQL cluster. */
  | 'not-a-cluster'
  /** initdb or the server failed for a reason of its own; the message ends in its last line. */
  | 'failed'
  /** `stop` was called. */
  | 'stopped'

/** A cluster cannot start, for a reason that the user can act on: the message is one line, ready to be printed. */
export class ClusterError extends Error {
  readonly kind: ClusterErrorKind

  constructor(kind: ClusterErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ClusterError'
    this.kind = kind
  }
}
