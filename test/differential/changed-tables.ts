import type { TestedServer } from './servers.ts'
import { CREATE_RANKED, RANKED, SAMPLES } from './tables.ts'

/*
 * The table of samples is put away under another name, with other types, names and labels, and what an open transaction makes of that is the table that
 * statements are about: they read renamed, retyped, relabelled and new columns, and a new view.
 */

const STORED = 'stored_samples'

const PUT_AWAY = [
  `DROP VIEW ${RANKED}`,
  `ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'`,
  `ALTER TABLE ${SAMPLES} RENAME TO ${STORED}`,
  `ALTER TABLE ${STORED} ALTER i2 TYPE integer, ALTER i4 TYPE bigint, ALTER v TYPE text, ALTER am TYPE numeric`,
  `ALTER TABLE ${STORED} RENAME t TO f8s2`,
  `ALTER TABLE ${STORED} RENAME u TO t`,
]

const TAKE_BACK = [
  `ALTER TYPE mood RENAME VALUE 'fine' TO 'ok'`,
  `ALTER TABLE ${STORED} RENAME t TO u`,
  `ALTER TABLE ${STORED} RENAME f8s2 TO t`,
  `ALTER TABLE ${STORED} ALTER i2 TYPE smallint, ALTER i4 TYPE integer, ALTER v TYPE varchar(20), ALTER am TYPE amount`,
  `ALTER TABLE ${STORED} DROP COLUMN d, ADD COLUMN d date DEFAULT '2024-02-29', DROP COLUMN n2`,
  `ALTER TABLE ${STORED} ALTER d DROP DEFAULT, ADD COLUMN n2 numeric(10,2) NOT NULL DEFAULT 1.5`,
  `ALTER TABLE ${STORED} RENAME TO ${SAMPLES}`,
  CREATE_RANKED,
]

/** The server within a transaction block that has changed the tables; no statement leaves anything behind. */
export async function inChangedBlock(server: TestedServer): Promise<TestedServer> {
  for (const sql of [...PUT_AWAY, 'BEGIN', ...TAKE_BACK]) {
    const outcome = await server.run(sql)
    if (outcome.kind !== 'rows')
      throw new Error(`${server.name}, ${sql}: ${JSON.stringify(outcome)}`)
  }
  return {
    ...server,
    async run(sql, parameters) {
      await server.run('SAVEPOINT before')
      const outcome = await server.run(sql, parameters)
      await server.run('ROLLBACK TO SAVEPOINT before')
      await server.run('RELEASE SAVEPOINT before')
      return outcome
    },
  }
}
