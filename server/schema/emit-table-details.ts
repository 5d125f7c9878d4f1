import type { DeclaredColumn, DeclaredTable } from './declared-object.ts'
import { emitGrants } from './emit-grants.ts'
import { emitPostgresName, quoteIdentifier, quoteLiteral } from './postgres-text.ts'

/** `fillfactor=70` as an item of WITH (..) or SET (..). */
export function emitOption(option: string): string {
  const equals = option.indexOf('=')
  return equals < 0
    ? option
    : `${option.slice(0, equals)}=${quoteLiteral(option.slice(equals + 1))}`
}

/** What a table that has been made, with its columns, keys and indexes, is told besides: it means nothing to Spanner. */
export function emitTableDetails(table: DeclaredTable): string[] {
  const name = emitPostgresName(table)
  const { clusterOn, replicaIdentity } = table
  return [
    ...table.columns.flatMap((column) => columnDetails(name, column)),
    ...(clusterOn === undefined
      ? []
      : [`ALTER TABLE ${name} CLUSTER ON ${quoteIdentifier(clusterOn)}`]),
    ...(replicaIdentity === undefined
      ? []
      : [`ALTER TABLE ${name} REPLICA IDENTITY ${identityOf(replicaIdentity)}`]),
  ]
}

/** Who may do what with a table and its columns, once its owner is the one who granted it. */
export function emitTableGrants(table: DeclaredTable): string[] {
  const on = `TABLE ${emitPostgresName(table)}`
  const { owner } = table
  return [
    ...emitGrants({ on, owner }, table.grants),
    ...table.columns.flatMap(({ name, grants }) => emitGrants({ on, owner, column: name }, grants)),
  ]
}

function columnDetails(table: string, column: DeclaredColumn): string[] {
  const { statistics, storage, compression, options } = column
  const changes = [
    statistics === undefined ? '' : `SET STATISTICS ${statistics}`,
    storage === undefined ? '' : `SET STORAGE ${storage.toUpperCase()}`,
    compression === undefined ? '' : `SET COMPRESSION ${compression}`,
    options === undefined ? '' : `SET (${options.map(emitOption).join(', ')})`,
  ]
  return changes
    .filter((change) => change !== '')
    .map((change) => `ALTER TABLE ${table} ALTER COLUMN ${quoteIdentifier(column.name)} ${change}`)
}

function identityOf(identity: NonNullable<DeclaredTable['replicaIdentity']>): string {
  return typeof identity === 'string'
    ? identity.toUpperCase()
    : `USING INDEX ${quoteIdentifier(identity.index)}`
}
