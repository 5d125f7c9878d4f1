import t from 'tap'
import {
  type ExpressionScope,
  toSpannerExpression,
} from '../../server/schema/physical-expression.ts'
import { OID } from '../../server/types/pg-type.ts'
import { findTypeForm } from '../../server/types/type-forms.ts'

const SCOPE: ExpressionScope = {
  columns: new Map([
    ['a', { physicalName: 'a', isPlain: true }],
    ['Odd', { physicalName: 'odd_2', isPlain: true }],
    ['length', { physicalName: 'length', isPlain: true }],
    ['u', { physicalName: 'u', isPlain: false }],
    ['ip', { physicalName: 'ip_2', isPlain: false, form: findTypeForm(OID.inet) }],
    ['c', { physicalName: 'c', isPlain: false, form: findTypeForm(OID.cidr) }],
    ['p', { physicalName: 'p', isPlain: false, form: findTypeForm(OID.money) }],
    ['i', { physicalName: 'i', isPlain: false, form: findTypeForm(OID.interval) }],
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

/** Of types that Spanner has nothing like. */
const OF_FORMS: readonly (readonly [string, string])[] = [
  [`(ip <> '10.0.0.1'::inet)`, `("ip_2" <> '10.0.0.1/32'::text)`],
  [`((c)::inet = '10.0.0.0/8'::inet)`, `(("c") = '10.0.0.0/8'::text)`],
  ['((p > (100)::money) AND (a > 0))', '(("p" > 10000) AND ("a" > 0))'],
  [`((p < p) OR (p = '-$1,000.50'::money))`, '(("p" < "p") OR ("p" = -100050))'],
  [
    `(ip <> ALL (ARRAY['::1'::inet, '10.0.0.0/8'::inet]))`,
    `("ip_2" <> ALL (ARRAY['::1/128'::text, '10.0.0.0/8'::text]))`,
  ],
  [`(p = ANY ('{$1.00,"$1,000.00"}'::money[]))`, '("p" = ANY (ARRAY[100, 100000]))'],
  ['(i IS NOT NULL)', '("i" IS NOT NULL)'],
]

const REFUSED = [
  `(i = '1 day'::interval)`,
  `(ip < '10.0.0.1'::inet)`,
  `(ip << '10.0.0.0/8'::inet)`,
  '(ip = c)',
  '(ip = a)',
  '(a = ip)',
  `((c)::text = '10.0.0.0/8'::text)`,
  '((p * 2) > (100)::money)',
  `(p > ('1'::money * 2))`,
  `(p > '1'::money`,
  '(p > (1.5)::money)',
  `(ip = ANY ('{NULL}'::inet[]))`,
  `(ip = E'\\x'::inet)`,
  'abs(p)',
  '(p',
  '(p >',
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
  for (const [postgres, spanner] of [...SAME, ...OF_FORMS]) {
    t.equal(toSpannerExpression(postgres, SCOPE), spanner)
  }
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

const WITH_LABELS: ExpressionScope = {
  columns: new Map([
    ...SCOPE.columns,
    ['m', { physicalName: 'm', isPlain: false, labelType: 'public.mood' }],
    ['o', { physicalName: 'o', isPlain: false, labelType: '"Odd schema"."Type"' }],
  ]),
  isVolatileAllowed: false,
}

t.test('labels are compared for equality alone', async (t) => {
  const same = [
    [`(m <> 'sad'::public.mood)`, `("m" <> 'sad')`],
    [
      `(m = ANY (ARRAY['sad'::public.mood, 'it''s'::public.mood]))`,
      `("m" = ANY (ARRAY['sad', 'it''s']))`,
    ],
    [`((o = 'x'::"Odd schema"."Type") OR (a = 1))`, `(("o" = 'x') OR ("a" = 1))`],
    [
      `(CASE m WHEN 'sad'::public.mood THEN 1 ELSE 2 END = a)`,
      `(CASE "m" WHEN 'sad' THEN 1 ELSE 2 END = "a")`,
    ],
    [`(m = NULL::public.mood)`, `("m" = NULL)`],
    [
      `((a > (1)::bigint) AND (1 <= a) AND (m = 'sad'::public.mood))`,
      `(("a" > (1)::bigint) AND (1 <= "a") AND ("m" = 'sad'))`,
    ],
    [`((m)::text = 'sad'::text)`, `(("m")::text = 'sad'::text)`],
  ]
  for (const [postgres = '', spanner] of same)
    t.equal(toSpannerExpression(postgres, WITH_LABELS), spanner)
  const refused = [
    `(m > 'sad'::public.mood)`,
    `(GREATEST(m, 'sad'::public.mood) = 'sad'::public.mood)`,
    `(((m)::text > 'sad'::text))`,
    `((length(a) > 1) AND (m = 'sad'::public.mood))`,
    `((a < m) AND (m = 'sad'::public.mood))`,
    `(m = 'sad'::other.mood)`,
    `((a)::public.mood = 'sad'::public.mood)`,
    `(m = ANY ('{sad}'::public.mood[]))`,
  ]
  for (const text of refused) t.equal(toSpannerExpression(text, WITH_LABELS), undefined, text)
})
