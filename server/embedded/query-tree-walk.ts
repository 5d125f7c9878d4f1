import type { NodeObject, NodeValue } from '../sql/node-text.ts'

/** Calls `visit` for every node in a node text, the outer before the inner; `parents` are those around it, the nearest last. */
export function walkNodes(
  value: NodeValue,
  visit: (node: NodeObject, parents: readonly NodeObject[]) => void,
  parents: readonly NodeObject[] = [],
): void {
  if (value?.kind === 'list') for (const item of value.items) walkNodes(item, visit, parents)
  if (value?.kind !== 'object') return
  visit(value, parents)
  const inner = [...parents, value]
  for (const field of value.fields.values()) walkNodes(field, visit, inner)
}
