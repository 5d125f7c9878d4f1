/** Arguments that a row takes as constants only, by their place: each is tried. Other places are swept over a column. */
export type ConstantArguments = readonly (readonly string[] | undefined)[]

const DATE_FIELDS =
  'year month day dow isodow doy week quarter isoyear decade century millennium epoch'.split(' ')
const TIMESTAMP_FIELDS = [
  ...DATE_FIELDS,
  'hour',
  'minute',
  'second',
  'milliseconds',
  'microseconds',
]
const UNITS =
  'microseconds milliseconds second minute hour day week month quarter year decade century millennium'.split(
    ' ',
  )
const quoted = (texts: readonly string[]) => texts.map((text) => `'${text}'`)
const LENGTHS = ['-1', '0', '3', '7']
const PATTERNS = quoted([
  'a',
  '^a',
  'c$',
  'b|c',
  'a.*c',
  '[a-c]+$',
  '(ab)+c',
  'x.y',
  '[^a-z]',
  '\\d{2,}',
  'ä',
  '\\.\\*',
  'S',
])
const FORMATS = quoted(['999', 'FM000', 'FM9,999', '9999.99', 'FM999999990.00'])
const DATETIME_FORMATS = quoted([
  'YYYY-MM-DD',
  'DD.MM.YYYY HH24:MI:SS',
  'Day, DD Mon YYYY',
  'IYYY-IW',
  'Q/YY',
  'HH24:MI',
])
const DELIMITERS = quoted([',', 'b', ' ', '^', '\\', 'a,'])
const PATHS = quoted(['{a}', '{b,0}', '{a,a}', '{b,2,c}', '{0}']).map((path) => `${path}::text[]`)
const CONTAINED = quoted([
  '{"a": 1}',
  '[1]',
  '{}',
  '[]',
  '1',
  '"a"',
  'null',
  '{"b": [{"c": "x"}]}',
  '[[2]]',
  '{"a": {"a": "deep"}}',
  'true',
  '[1.50, "a"]',
]).map((json) => `${json}::jsonb`)
const DIMENSION = [undefined, ['1']]

/** By the key of the row (rules.ts). */
export const CONSTANTS: ReadonlyMap<string, ConstantArguments> = new Map<string, ConstantArguments>(
  [
    ['function 6202', [quoted(TIMESTAMP_FIELDS)]],
    ['function 6203', [quoted(TIMESTAMP_FIELDS)]],
    ['function 6199', [quoted(DATE_FIELDS)]],
    ['function 2021', [quoted(TIMESTAMP_FIELDS)]],
    ['function 1171', [quoted(TIMESTAMP_FIELDS)]],
    ['function 1384', [quoted(DATE_FIELDS)]],
    ['function 2020', [quoted(UNITS)]],
    ['function 1217', [quoted(UNITS)]],
    [
      'function 1284',
      [
        quoted(UNITS),
        undefined,
        quoted(['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata']),
      ],
    ],
    ['function 1159', [quoted(['UTC', 'Etc/UTC'])]],
    ['function 2069', [quoted(['UTC', 'Etc/UTC'])]],
    ['function 2049', [undefined, DATETIME_FORMATS]],
    ['function 1770', [undefined, DATETIME_FORMATS]],
    ['function 1772', [undefined, FORMATS]],
    ['function 1773', [undefined, FORMATS]],
    ['function 1774', [undefined, FORMATS]],
    ['function 1707', [undefined, ['0', '2', '10']]],
    ['function 1709', [undefined, ['0', '2', '10']]],
    // Spanner's texts end at a megabyte here.
    ['function 873', [undefined, LENGTHS]],
    ['function 874', [undefined, LENGTHS]],
    ['function 879', [undefined, LENGTHS]],
    ['function 880', [undefined, LENGTHS]],
    ['function 1622', [undefined, LENGTHS]],
    ['function 877', [undefined, undefined, ['-1', '0', '2', '2147483647']]],
    ['function 936', [undefined, undefined, ['-1', '0', '2', '2147483647']]],
    ['function 2085', [undefined, undefined, ['-1', '0', '2', '2147483647']]],
    ['function 2012', [undefined, undefined, ['-1', '0', '2', '2147483647']]],
    ['function 3846', [undefined, undefined, ['0', '1', '31']]],
    ['function 1404', [undefined, undefined, ['-1', '1', '3'], ['-2', '0', '2']]],
    ['function 1405', [undefined, undefined, ['-1', '1', '3']]],
    ['function 2088', [undefined, DELIMITERS, ['1', '2', '3']]],
    ['function 394', [undefined, DELIMITERS]],
    ['operator 641', [undefined, PATTERNS]],
    ['operator 642', [undefined, PATTERNS]],
    ['operator 1228', [undefined, PATTERNS]],
    ['operator 1229', [undefined, PATTERNS]],
    ['function 2176', DIMENSION],
    ['function 2092', DIMENSION],
    ['function 2091', DIMENSION],
    ['operator 3213', [undefined, PATHS]],
    ['operator 3206', [undefined, PATHS]],
    ['operator 3246', [undefined, CONTAINED]],
    ['function 3217', [undefined, ["'a', 'a'", "'b', '0'"]]],
    ['function 3940', [undefined, ["'a', 'a'", "'b', '0'"]]],
    ['operator 3287', [undefined, PATHS]],
    ['function 3305', [undefined, PATHS, undefined, ['true', 'false']]],
    ['function 3579', [undefined, PATHS, undefined, ['true', 'false']]],
    ['function 3273', [["'k'"]]],
  ],
)
