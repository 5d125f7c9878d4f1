/** pg_collation: default, C and POSIX, which are one here: every cluster has LC_COLLATE C, and Spanner sorts by bytes. */
const BYTE_COLLATIONS = new Set([100, 950, 951])

/** Whether values under the collation sort by their bytes. */
export function isByteCollation(oid: number): boolean {
  return BYTE_COLLATIONS.has(oid)
}
