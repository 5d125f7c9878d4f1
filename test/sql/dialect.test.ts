import t from 'tap'
import { AGGREGATE_ROWS } from '../../server/sql/dialect-aggregates.ts'
import { FUNCTION_ROWS } from '../../server/sql/dialect-functions.ts'
import { DIALECT } from '../../server/sql/dialect-lookup.ts'
import { OPERATOR_ROWS } from '../../server/sql/dialect-operators.ts'
import type { CallRow } from '../../server/sql/dialect-printers.ts'
import { SPANNER_CASTS, SPANNER_FUNCTIONS } from '../../server/sql/spanner-functions.ts'
import { SPANNER_OPERATORS } from '../../server/sql/spanner-operators.ts'
import { inSpannersTypes } from '../../server/sql/spanner-signature.ts'
import { OID } from '../../server/types/pg-type.ts'

const SITE = { argTypes: [], resultType: OID.text, timeZone: 'UTC', dateStyle: 'ISO, MDY' }
const OPERANDS = ['L', 'R', 'S', 'T']

/** Rows whose form in Spanner is the call itself: an operator between its operands, a function with its arguments. */
function ownForms(rows: readonly CallRow[], ofItself: (signature: string) => string): CallRow[] {
  return rows.filter(
    ([, signature, print]) => print(operandsOf(signature), SITE) === ofItself(signature),
  )
}

function operandsOf(signature: string): readonly string[] {
  const list = /^\w+\((.*)\)$/.exec(signature)?.[1]
  if (list === undefined) return OPERANDS.slice(0, signature.startsWith('-') ? 1 : 2)
  return list === '' ? [] : OPERANDS.slice(0, list.split(', ').length)
}

/** A signature in the types in which Spanner stores the values. */
function asStored(signature: string): string {
  return inSpannersTypes(signature)
    .replaceAll(
      /\b(?:timestamp without time zone|timestamptz|timestamp(?! with))\b/g,
      'timestamp with time zone',
    )
    .replace(/\bmoney\b/g, 'bigint')
    .replace(
      /\b(?:anyenum|character|time with(?:out)? time zone|json|inet|cidr|macaddr8?|bit varying|varbit|bit)\b|"char"/g,
      'text',
    )
    .replace(/\((?:oid)\)/, '(bigint)')
}

const asCall = (signature: string) =>
  `${/^\w+/.exec(signature)?.[0]}(${operandsOf(signature).join(', ')})`
const asInfix = (signature: string) =>
  `L ${signature.split(' ').find((word) => /^[^\w"]+$/.test(word))} R`

t.test('what is pushed down as it is written, Spanner has', async (t) => {
  const functions = ownForms([...FUNCTION_ROWS, ...AGGREGATE_ROWS], asCall)
  t.ok(functions.length > 80, `${functions.length} functions`)
  for (const [, signature] of functions) {
    const spanners = asStored(signature)
    t.ok(SPANNER_FUNCTIONS.has(spanners) || SPANNER_CASTS.has(spanners), signature)
  }
  const operators = ownForms(OPERATOR_ROWS, asInfix)
  t.ok(operators.length > 150, `${operators.length} operators`)
  for (const [, signature] of operators) {
    // What is joined to a text is made one first.
    const spanners = asStored(signature).replace('anynonarray', 'text')
    t.ok(SPANNER_OPERATORS.has(spanners), signature)
  }
})

t.test('what a rule needs is what its signature needs', async (t) => {
  const oidOf = (rows: readonly CallRow[], wanted: string) =>
    rows.find(([, signature]) => signature === wanted)?.[0] ?? 0
  const rule = (wanted: string) => DIALECT.findFunctionRule(oidOf(FUNCTION_ROWS, wanted))
  const operator = (wanted: string) => DIALECT.findOperatorRule(oidOf(OPERATOR_ROWS, wanted))
  t.equal(rule('generate_series(integer, integer)')?.needs, 'generateSeries')
  t.equal(rule('jsonb_strip_nulls(jsonb)')?.needs, 'jsonbFunctions')
  t.equal(rule('abs(bigint)')?.needs, undefined)
  t.equal(operator('jsonb || jsonb')?.needs, 'jsonbFunctions')
  t.ok(operator('uuid = uuid'))
  t.equal(operator('uuid = uuid')?.needs, undefined, 'a backend without uuid compares texts')
  t.ok(SPANNER_FUNCTIONS.has('exp(double precision)'), 'Spanner has it,')
  t.equal(rule('exp(double precision)'), undefined, 'and gives other digits')
})
