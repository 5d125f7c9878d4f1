/*
 * Emulations are counted and switched by what Spanner lacks, so that their names must stay when a reason's words change. The
 * first row that matches counts; `$1` is a function's name.
 */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^refused: /, 'refused'],
  [/^a value that Spanner does not have/, 'value'],
  [/\bcatalogs\b/, 'catalog-join'],
  [/^temporary tables/, 'temporary-join'],
  [/^a relation that Spanner has no table/, 'uncommitted-table'],
  [/^an uncommitted column/, 'uncommitted-column'],
  [/^window functions/, 'window-function'],
  [/recursive/, 'recursive-cte'],
  [/^GROUPING/, 'grouping-sets'],
  [/LATERAL|of another table$/, 'lateral'],
  [/^DISTINCT ON/, 'distinct-on'],
  [/^a set-returning function/, 'set-returning-function'],
  [/in FROM$|^ROWS FROM|^a FROM item/, 'function-in-from'],
  [/^a sequence/, 'sequence'],
  [/^TABLESAMPLE/, 'table-sample'],
  [/^FILTER/, 'filter'],
  [/^an ordered-set aggregate/, 'ordered-set-aggregate'],
  [/^an aggregate of an outer query/, 'outer-aggregate'],
  [/^the aggregate (\w+)/, 'aggregate-$1'],
  [/^ORDER BY in /, 'ordered-aggregate'],
  [/^the function (\w+)/, 'function-$1'],
  [/^a volatile function/, 'volatile-function'],
  [/^the operator|operator that is not built in/, 'operator'],
  [/^a cast|^rounding|^numeric\(/, 'cast'],
  [/whole row|row as a value|of a row\b|of rows\b|composite/, 'row-value'],
  [/system column/, 'system-column'],
  [/set operation|^(UNION|INTERSECT|EXCEPT)\b/, 'set-operation'],
  [/^LIMIT|^FETCH/, 'limit'],
  [/sort order|^ORDER BY/, 'order-by'],
  [/grouping|^DISTINCT|^GROUP BY/, 'grouping'],
  [/subquery/, 'subquery'],
  [/subscript|slice/, 'array-subscript'],
  [/^COLLATE/, 'collation'],
  [/^XML/, 'xml'],
  [/^FOR UPDATE/, 'row-lock'],
]

/** What everything else is called. */
const OTHER = 'expression'

/** Every name; `$1` is a function's. */
export const EMULATION_NAMES: readonly string[] = [...NAMES.map(([, name]) => name), OTHER]

/** The name of the emulation that stands in for what NotPushable complains of, in kebab case: `window-function`. */
export function emulationName(reason: string): string {
  for (const [pattern, name] of NAMES) {
    const match = pattern.exec(reason)
    if (match !== null) return name.replace('$1', (match[1] ?? '').replaceAll('_', '-'))
  }
  return OTHER
}
