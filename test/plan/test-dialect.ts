import type { DialectTable } from '../../server/plan/emission.ts'
import type { CallRule } from '../../server/sql/dialect.ts'

/** A small dialect table for the tests of the emitter: `oid:sign`. */
const COMPARISONS =
  '15:= 36:<> 37:< 58:< 59:> 76:> 80:<= 82:>= 85:<> 91:= 94:= 95:< 96:= 97:< 98:= 410:= ' +
  '411:<> 412:< 413:> 414:<= 415:>= 416:= 417:<> 418:< 419:> 420:<= 430:>= 518:<> 519:<> ' +
  '520:> 521:> 522:<= 523:<= 524:>= 525:>= 531:<> 532:= 533:= 534:< 535:< 536:> 537:> ' +
  '538:<> 539:<> 540:<= 541:<= 542:>= 543:>= 620:= 621:<> 622:< 623:> 624:<= 625:>= ' +
  '664:< 665:<= 666:> 667:>= 670:= 671:<> 672:< 673:<= 674:> 675:>= 1054:= 1057:<> ' +
  '1058:< 1059:<= 1060:> 1061:>= 1093:= 1094:<> 1095:< 1096:<= 1097:> 1098:>= 1320:= ' +
  '1321:<> 1322:< 1323:<= 1324:> 1325:>= 1694:<= 1695:>= 1752:= 1753:<> 1754:< 1755:<= ' +
  '1756:> 1757:>= 1862:= 1863:<> 1864:< 1865:> 1866:<= 1867:>= 1868:= 1869:<> 1870:< ' +
  '1871:> 1872:<= 1873:>= 1955:= 1956:<> 1957:< 1958:<= 1959:> 1960:>= 2060:= 2061:<> ' +
  '2062:< 2063:<= 2064:> 2065:>= 2972:= 2973:<> 2974:< 2975:> 2976:<= 2977:>= '
/** `oid:sign:type of the result`. */
const ARITHMETIC =
  '439:%:20 514:*:23 526:*:21 527:/:21 528:/:23 529:%:21 530:%:23 544:*:23 545:*:23 ' +
  '546:/:23 547:/:23 550:+:21 551:+:23 552:+:23 553:+:23 554:-:21 555:-:23 556:-:23 ' +
  '557:-:23 591:+:701 592:-:701 593:/:701 594:*:701 684:+:20 685:-:20 686:*:20 687:/:20 ' +
  '688:+:20 689:-:20 690:*:20 691:/:20 692:+:20 693:-:20 694:*:20 695:/:20 818:+:20 ' +
  '819:-:20 820:*:20 821:/:20 822:+:20 823:-:20 824:*:20 825:/:20 1758:+:1700 ' +
  '1759:-:1700 1760:*:1700 1761:/:1700 1762:%:1700 '
const infix = (sign: string): CallRule => ({ print: ([left, right]) => `${left} ${sign} ${right}` })
const call = (name: string): CallRule => ({ print: (args) => `${name}(${args.join(', ')})` })
const cast = (type: string): CallRule => ({ print: ([arg]) => `${arg}::${type}` })
const same: CallRule = { print: ([arg]) => arg ?? '' }

const OPERATORS = new Map<number, CallRule>([
  ...COMPARISONS.trim()
    .split(' ')
    .map((word): [number, CallRule] => {
      const [oid, sign] = word.split(':')
      return [Number(oid), infix(sign ?? '')]
    }),
  ...ARITHMETIC.trim()
    .split(' ')
    .map((word): [number, CallRule] => {
      const [oid, sign, type] = word.split(':')
      const range = type === '23' ? 'int4' : type === '21' ? 'int2' : undefined
      return [
        Number(oid),
        { ...infix(sign ?? ''), ...(range === undefined ? {} : { resultRange: range }) },
      ]
    }),
  [654, infix('||')],
  [1209, infix('LIKE')],
  [1210, infix('NOT LIKE')],
  [3211, infix('->')],
  [3477, infix('->>')],
  [3246, { print: ([left, right]) => `${left} @> ${right}`, needs: 'jsonbFunctions' }],
])

const FUNCTIONS = new Map<number, CallRule>([
  [481, same],
  [754, same],
  [313, same],
  [480, { ...same, resultRange: 'int4' }],
  [314, { ...same, resultRange: 'int2' }],
  [482, cast('float8')],
  [316, cast('float8')],
  [1746, cast('float8')],
  [1740, cast('numeric')],
  [1781, cast('numeric')],
  [1743, cast('numeric')],
  [401, same],
  [870, call('lower')],
  [871, call('upper')],
  [1317, { ...call('length'), resultRange: 'int4' }],
  [2029, { print: ([arg]) => `spanner.date(${arg}, 'UTC')`, diesOfNull: [0] }],
  [1067, { ...call('generate_series'), needs: 'generateSeries' }],
  [1069, { ...call('generate_series'), needs: 'generateSeries' }],
  [3219, call('jsonb_array_elements')],
])

const AGGREGATES = new Map<number, CallRule>([
  [2803, { print: () => 'count(*)' }],
  [2147, call('count')],
  [2107, call('sum')],
  [2108, { print: ([arg]) => `sum(${arg})::bigint` }],
  [2114, call('sum')],
  [2111, call('sum')],
  [2100, call('avg')],
  [2101, call('avg')],
  [2103, call('avg')],
  [2105, call('avg')],
  ...[2115, 2116, 2120, 2122, 2126, 2127, 2129, 2130].map((oid): [number, CallRule] => [
    oid,
    call('max'),
  ]),
  ...[2131, 2132, 2136, 2138, 2142, 2143, 2145, 2146].map((oid): [number, CallRule] => [
    oid,
    call('min'),
  ]),
  [2517, call('bool_and')],
  [2335, call('array_agg')],
  [3538, call('string_agg')],
])

const IO_CASTS = new Map<string, CallRule>([
  ['23>25', cast('text')],
  ['20>25', cast('text')],
  ['25>20', cast('bigint')],
  ['25>3802', cast('jsonb')],
  ['1700>25', cast('text')],
])

export const TEST_DIALECT: DialectTable = {
  findOperatorRule: (oid) => OPERATORS.get(oid),
  findFunctionRule: (oid) => FUNCTIONS.get(oid),
  findAggregateRule: (oid) => AGGREGATES.get(oid),
  findIoCastRule: (from, to) => IO_CASTS.get(`${from}>${to}`),
}
