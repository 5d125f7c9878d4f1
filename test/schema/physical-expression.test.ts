import t from 'tap'
import {
  type ExpressionScope,
  toSpannerExpression,
} from '../../server/schema/physical-expression.ts'

const SCOPE: ExpressionScope = {
  columns: new Map([
    ['a', { physicalName: 'a', isPlain: true }],
    ['Odd', { physicalName: 'odd_2', isPlain: true }],
    ['length', { physicalName: 'length', isPlain: true }],
    ['u', { physicalName: 'u', isPlain: false }],
  ]),
  isVolatileAllowed: false,
}

/** PostgreSQL's print of an expression, and Spanner's. */
const SAME: readonly (readonly [string, string])[] = [
  ['(a > 0)', '("a" > 0)'],
  ['("Odd" IS NOT NULL)', '("odd_2" IS NOT NULL)'],
  ['(length((a)::text) > length)', '(length(("a")::text) > "length")'],
  [`((a)::text ~~ 'x%'::text)`, `(("a")::text LIKE 'x%'::text)`],
  [`(a ~ '^[a-z.]+\\.[0-9]$'::text)`, `("a" ~ '^[a-z.]+\\.[0-9]$'::text)`],
  [`("substring"(a, 1, 2) = 'it''s'::text)`, `(substr("a", 1, 2) = 'it''s'::text)`],
  ['(a = (1)::smallint)', '("a" = (1)::bigint)'],
  ['CASE WHEN (a = 1) THEN true ELSE false END', 'CASE WHEN ("a" = 1) THEN true ELSE false END'],
  [
    `(a > '2020-01-01 00:00:00'::timestamp without time zone)`,
    `("a" > '2020-01-01 00:00:00+00'::timestamp with time zone)`,
  ],
  ['(a = ANY (ARRAY[1, 2]))', '("a" = ANY (ARRAY[1, 2]))'],
  ['(a <= 1.5e10)', '("a" <= 1.5e10)'],
]

const REFUSED = [
  '(u > 0)',
  '(missing > 0)',
  '(a ~* b)',
  `(a ~ 'a.c'::text)`,
  `(a ~ '\\y'::text)`,
  '(a ~ a)',
  '(a % 2)',
  '(my_function(a) > 1)',
  '(public.length(a) > 1)',
  `(a = 'x'::public.mood)`,
  `(a = 'x'::character varying(3))`,
  '(a > now())',
  `(a > 'infinity'::timestamp without time zone)`,
  '(a COLLATE "C" > 1)',
  '(a IS DISTINCT FROM 1)',
  '"unterminated',
]

t.test('prints what means the same', async (t) => {
  for (const [postgres, spanner] of SAME) t.equal(toSpannerExpression(postgres, SCOPE), spanner)
})

t.test('refuses what may not', async (t) => {
  for (const text of REFUSED) t.equal(toSpannerExpression(text, SCOPE), undefined, text)
})

t.test('asks for the moment only where it is allowed', async (t) => {
  const scope = { columns: new Map(), isVolatileAllowed: true }
  t.equal(toSpannerExpression('now()', scope), 'now()')
  t.equal(toSpannerExpression('CURRENT_DATE', scope), 'CURRENT_DATE')
  t.equal(toSpannerExpression('gen_random_uuid()', scope), 'spanner.generate_uuid()')
})
