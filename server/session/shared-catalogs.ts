import { MAY_NAME_SHARED_CATALOG, sharedCatalogQuery } from '../companion/shared-catalogs-sql.ts'
import { columnReferences } from '../sql/column-references.ts'
import type { RawNode } from '../sql/raw-node.ts'
import {
  type NamedRelation,
  namesOfCtes,
  relationsInFrom,
  replaceRelations,
} from '../sql/replace-relations.ts'

/**
 * The statement with pg_database and pg_auth_members as the client's server has them (shared-catalogs-sql.ts). Where a query in the table's place
 * could not be referred to as the table is, the companion's own rows are shown: whole rows together with system columns,
 * names with their schema, and GROUP BY, which may rest on the primary key.
 */
export function replaceSharedCatalogs(text: string, node: RawNode): string {
  if (!MAY_NAME_SHARED_CATALOG.test(text) || /\bgroup\s+by\b/i.test(text)) return text
  const { systemColumns, hasStar, hasSchema } = columnReferences(node)
  if (hasSchema || (hasStar && systemColumns.length > 0)) return text
  const ctes = namesOfCtes(node)
  const replacements = relationsInFrom(node).flatMap((relation) => {
    const table = catalogTable(relation, ctes)
    const query = table === undefined ? undefined : sharedCatalogQuery(table, systemColumns)
    return query === undefined ? [] : [{ relation, query }]
  })
  return replacements.length === 0 ? text : replaceRelations(text, replacements)
}

/** `pg_catalog.pg_database`, or `pg_database` alone: pg_catalog comes first in every search path that does not say otherwise. */
function catalogTable(
  { name, plainName }: NamedRelation,
  ctes: ReadonlySet<string>,
): string | undefined {
  if (plainName !== undefined) return ctes.has(plainName) ? undefined : plainName
  return /^"pg_catalog"\."(.*)"$/.exec(name)?.[1]
}
