import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { type CopyCommand, copyCommand } from '../sql/copy-command.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { readOnlyViolation } from '../transaction/transaction-block.ts'
import type { Answer, RowSink } from './answer.ts'
import { mustBe } from './client-error.ts'
import { copyFrom } from './copy-from.ts'
import { copyTo } from './copy-to.ts'
import type { SessionState } from './session-state.ts'

/** A COPY that is to be run. */
export interface CopyRun {
  readonly statement: ParsedStatement
  readonly command: CopyCommand
  readonly isSole: boolean
}

/** COPY between a table, or a query, and the client. */
export function runCopy(state: SessionState, statement: ParsedStatement, isSole: boolean): Answer {
  const command = mustBe(copyCommand(statement.text, statement.node))
  if (command.endpoint !== 'client') throw noPrivilege(command)
  if (command.direction === 'from') {
    if (state.block.characteristics.readOnly) throw readOnlyViolation('COPY FROM')
  }
  state.block.noteQuery()
  const run = { statement, command, isSole }
  let copied = 0n
  return {
    fields: undefined,
    rows: {
      async write(sink: RowSink) {
        copied = await (command.direction === 'from' ? copyFrom : copyTo)(state, run, sink)
        return { rowCount: 0, isDone: true }
      },
      close: () => {},
    },
    tag: () => `COPY ${copied}`,
  }
}

/** Nobody has these privileges here: files and programs are those of the server (DoCopy of src/backend/commands/copy.c). */
function noPrivilege({ endpoint, direction }: CopyCommand): PgError {
  const [role, what] =
    endpoint === 'program'
      ? ['pg_execute_server_program', 'COPY to or from an external program']
      : direction === 'from'
        ? ['pg_read_server_files', 'COPY from a file']
        : ['pg_write_server_files', 'COPY to a file']
  return new PgError(
    SQL_STATE.insufficientPrivilege,
    `must be superuser or have privileges of the ${role} role to ${what}`,
    {
      hint: "Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.",
    },
  )
}
