import { PgError } from '../base/pg-error.ts'

/*
 * SQL that must fail where PostgreSQL evaluates it, and whose error says what it stands for: a cast of a text that is no number. random() keeps the
 * planner from making the cast before its time.
 */

const MARK = 'spanwire: '

const MESSAGE = new RegExp(`^invalid input syntax for type bigint: "${MARK}(.*)"$`, 's')

/** An expression of type `type` that fails once it is evaluated; `what` is SQL of texts, between commas. */
export function failingSql(what: string, type = 'pg_catalog.int8'): string {
  const text = `pg_catalog.concat('${MARK}', ${what}, pg_catalog.left(CAST(pg_catalog.random() AS pg_catalog.text), 0))`
  const cast = `CAST(${text} AS pg_catalog.int8)`
  return type === 'pg_catalog.int8' ? cast : `CAST(CAST(${cast} AS pg_catalog.text) AS ${type})`
}

/** What a failure of {@link failingSql} says; undefined for all other errors. */
export function toldBy(error: unknown): string | undefined {
  return error instanceof PgError ? MESSAGE.exec(error.message)?.[1] : undefined
}
