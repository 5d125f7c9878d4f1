import t from 'tap'
import { PgError } from '../../server/base/pg-error.ts'
import { SQL_STATE } from '../../server/base/sql-state.ts'
import { inParameter, refusedParameter } from '../../server/session/parameter-context.ts'

const second = { portal: '', number: 2, format: 1, isEmpty: false } as const

t.test('bytes that are left over are told with the number of the parameter', (t) => {
  for (const told of ['', ' in bind parameter 1']) {
    const error = new PgError(
      SQL_STATE.invalidBinaryRepresentation,
      `incorrect binary data format${told}`,
    )
    const found = inParameter(error, second)
    t.equal(found.message, 'incorrect binary data format in bind parameter 2')
    t.equal(found.code, '22P03')
    t.equal(found.fields.where, 'unnamed portal parameter $2')
  }
  t.end()
})

t.test('what the companion says of its own portal is said of the client’s', (t) => {
  const where = "JSON data, line 1: {\nunnamed portal parameter $1 = '...'"
  const error = new PgError(SQL_STATE.invalidTextRepresentation, 'invalid input', { where })
  const found = inParameter(error, { portal: 'p', number: 3, format: 0, isEmpty: false })
  t.equal(found.message, 'invalid input')
  t.equal(found.fields.where, 'JSON data, line 1: {\nportal "p" parameter $3 = \'...\'')
  t.end()
})

t.test('nothing is left out of an empty text', (t) => {
  const companions = new PgError(SQL_STATE.invalidTextRepresentation, 'invalid input', {
    where: "unnamed portal parameter $1 = ''",
  })
  t.equal(refusedParameter(companions), 1)
  const found = inParameter(companions, { portal: '', number: 2, format: 0, isEmpty: true })
  t.equal(found.fields.where, "unnamed portal parameter $2 = ''")
  t.end()
})
