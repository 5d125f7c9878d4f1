import type { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { BINARY_LEFT_OVER } from '../types/param-decoder.ts'
import type { Format } from '../wire/field-description.ts'
import { withFields } from './client-error.ts'

/** A parameter of a Bind. */
export interface BindParameter {
  /** The portal's name, empty for the unnamed one. */
  readonly portal: string
  /** From 1. */
  readonly number: number
  readonly format: Format
  /** Nothing is left out of an empty text. */
  readonly isEmpty: boolean
}

/** What PostgreSQL says in WHERE of the parameter of a companion's own, unnamed portal. */
const COMPANIONS = /(?:^|\n)unnamed portal parameter \$(\d+)(?: = '(?:\.\.\.)?')?$/

/** With the companion's number, where it is the companion that has read the value. */
const LEFT_OVER = new RegExp(`^(${BINARY_LEFT_OVER})(?: in bind parameter \\d+)?$`)

/** The number of the parameter that the companion could not read; undefined where it was something else. */
export function refusedParameter(error: PgError): number | undefined {
  const match = COMPANIONS.exec(error.fields.where ?? '')
  return match === null ? undefined : Number(match[1])
}

/**
 * The error of a value that cannot be read says in WHERE which parameter it was (bind_param_error_callback of
 * src/backend/tcop/postgres.c); of the value itself no more than that it was text, and in the client's encoding.
 */
export function inParameter(
  error: PgError,
  { portal, number, format, isEmpty }: BindParameter,
): PgError {
  const inner = error.fields.where?.replace(COMPANIONS, '') ?? ''
  const name = portal === '' ? 'unnamed portal' : `portal "${portal}"`
  const isText = format === 0 && error.code !== SQL_STATE.characterNotInRepertoire
  const context = `${name} parameter $${number}${isText ? ` = '${isEmpty ? '' : '...'}'` : ''}`
  const where = inner === '' ? context : `${inner}\n${context}`
  const message = error.message.replace(LEFT_OVER, `$1 in bind parameter ${number}`)
  return withFields(error, { where }, message)
}
