import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import {
  writeCommandComplete,
  writeEmptyQueryResponse,
  writeRowDescription,
} from '../wire/backend-messages.ts'
import { bindStatement, NO_PARAMS } from './bound-statement.ts'
import { runInClientBatch } from './client-batch.ts'
import { shiftPosition } from './client-error.ts'
import { describeStatement, parseText } from './describe.ts'
import { isBatchable } from './dml-batch.ts'
import { ImplicitUnit } from './implicit-unit.ts'
import { checkNotFailed, runStatement } from './run-statement.ts'
import { statementTimeoutMs } from './session-defaults.ts'
import type { SessionState } from './session-state.ts'
import { readsSession } from './session-values.ts'
import { observeStatement } from './statement-events.ts'

/** The simple protocol: a string of statements, which outside BEGIN form one transaction (exec_simple_query). */
export async function simpleQuery(state: SessionState, text: string): Promise<void> {
  dropUnnamed(state)
  const statements = await parseText(state, text)
  if (statements.length === 0) {
    writeEmptyQueryResponse(state.io.output)
    return
  }
  const unit = new ImplicitUnit(state)
  for (const [index, statement] of statements.entries()) {
    const isLast = index === statements.length - 1
    // Each has the time that the setting gives when it begins.
    if (index > 0) state.scope.limit(statementTimeoutMs(state.settings))
    try {
      await runOne(state, { unit, statement, isSole: statements.length === 1, isLast })
    } catch (error) {
      // What was kept back came before what failed now.
      await unit.runBatch()
      throw error instanceof PgError ? shiftPosition(error, statement.offset) : error
    }
  }
}

/** A simple Query destroys the unnamed statement and portal (manual, section 55.2.3). */
function dropUnnamed(state: SessionState): void {
  state.prepared.delete('')
  state.portals.get('')?.close()
  state.portals.delete('')
}

interface SimpleStep {
  readonly unit: ImplicitUnit
  readonly statement: ParsedStatement
  readonly isSole: boolean
  readonly isLast: boolean
}

async function runOne(state: SessionState, step: SimpleStep): Promise<void> {
  const { unit, statement } = step
  checkNotFailed(state, statement)
  state.block.startStatement(step.isSole ? 'statement' : 'query-string')
  const described = await describeStatement(state, statement, [])
  if (described.paramTypes.length > 0) throw noParameter(statement.text)
  if (described.plan !== undefined && readsSession(described.plan)) await unit.runBatch()
  const bound = {
    ...(await bindStatement(state, { statement, described }, NO_PARAMS, [])),
    statement: described.written ?? statement,
  }
  const batchTag = await runInClientBatch(state, bound, unit)
  if (batchTag !== undefined) {
    if (step.isLast) await unit.commit()
    writeCommandComplete(state.io.output, batchTag)
    return
  }
  if (isBatchable(bound)) {
    await unit.defer(bound)
    if (!step.isLast) return
    await unit.commit({ holdsTag: true })
    writeCommandComplete(state.io.output, unit.heldTag)
    return
  }
  const isSole = step.isSole && state.block.state === 'implicit'
  let tag = ''
  await observeStatement(state, bound, async () => {
    let rowCount = 0
    await unit.run(async () => {
      const answer = await runStatement(state, bound, isSole)
      if (answer.fields !== undefined)
        writeRowDescription(state.io.output, answer.fields, answer.formats ?? [])
      const sink = {
        output: state.io.output,
        relieve: () => unit.relieve(),
        flush: () => unit.flush(),
      }
      rowCount = (await answer.rows?.write(sink, 0))?.rowCount ?? 0
      tag = answer.tag(BigInt(rowCount))
    })
    return rowCount
  })
  // As PostgreSQL: the last CommandComplete says that the transaction is over, too.
  if (step.isLast) await unit.commit()
  writeCommandComplete(state.io.output, tag)
}

/** The simple protocol has no parameters (src/backend/parser/parse_expr.c, transformParamRef). */
function noParameter(text: string): PgError {
  const match = /\$\d+/.exec(text)
  return new PgError(SQL_STATE.undefinedParameter, `there is no parameter ${match?.[0] ?? '$1'}`, {
    position: match === null ? undefined : [...text.slice(0, match.index)].length + 1,
  })
}
