/** How one transaction depends on another: `ww` overwrites, `wr` is read by, `rw` was read before it was overwritten. */
export type EdgeKind = 'ww' | 'wr' | 'rw'

export interface Edge {
  readonly from: number
  readonly to: number
  readonly kind: EdgeKind
  /** For people. */
  readonly why: string
}

/** A directed graph of transactions, by their ids. */
export class DependencyGraph {
  readonly #edges = new Map<number, Edge[]>()
  readonly #known = new Set<string>()

  /** Edges to oneself are no dependency; of several of one kind between two the first stays. */
  add(edge: Edge): void {
    const name = `${edge.from}>${edge.to}:${edge.kind}`
    if (edge.from === edge.to || this.#known.has(name)) return
    this.#known.add(name)
    this.#edges.set(edge.from, [...(this.#edges.get(edge.from) ?? []), edge])
  }

  edges(kinds: ReadonlySet<EdgeKind>): readonly Edge[] {
    return [...this.#edges.values()].flat().filter(({ kind }) => kinds.has(kind))
  }

  from(node: number, kinds: ReadonlySet<EdgeKind>): readonly Edge[] {
    return (this.#edges.get(node) ?? []).filter(({ kind }) => kinds.has(kind))
  }

  get nodes(): readonly number[] {
    return [...this.#edges.keys()]
  }
}

interface Visit {
  readonly node: number
  readonly edges: readonly Edge[]
  next: number
}

/**
 * The strongly connected components of more than one node (Tarjan, "Depth-first search and linear graph algorithms", 1972), without
 * recursion: histories are longer than the stack is deep.
 */
export function stronglyConnected(
  graph: DependencyGraph,
  kinds: ReadonlySet<EdgeKind>,
): readonly ReadonlySet<number>[] {
  const search = new ComponentSearch((node) => graph.from(node, kinds))
  for (const node of graph.nodes) search.visit(node)
  return search.components.filter((component) => component.size > 1)
}

class ComponentSearch {
  readonly components: ReadonlySet<number>[] = []
  readonly #edgesOf: (node: number) => readonly Edge[]
  readonly #index = new Map<number, number>()
  readonly #low = new Map<number, number>()
  readonly #stack: number[] = []
  readonly #onStack = new Set<number>()

  constructor(edgesOf: (node: number) => readonly Edge[]) {
    this.#edgesOf = edgesOf
  }

  visit(root: number): void {
    if (this.#index.has(root)) return
    const path: Visit[] = [this.#enter(root)]
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const edge = visit.edges[visit.next++]
      if (edge === undefined) {
        this.#leave(visit.node)
        path.pop()
        const parent = path.at(-1)
        if (parent !== undefined) this.#lower(parent.node, this.#low.get(visit.node) ?? 0)
      } else if (!this.#index.has(edge.to)) {
        path.push(this.#enter(edge.to))
      } else if (this.#onStack.has(edge.to)) {
        this.#lower(visit.node, this.#index.get(edge.to) ?? 0)
      }
    }
  }

  #enter(node: number): Visit {
    const index = this.#index.size
    this.#index.set(node, index)
    this.#low.set(node, index)
    this.#stack.push(node)
    this.#onStack.add(node)
    return { node, edges: this.#edgesOf(node), next: 0 }
  }

  /** A node that reaches nothing older is the root of a component: all above it on the stack. */
  #leave(node: number): void {
    if (this.#low.get(node) !== this.#index.get(node)) return
    const component = new Set(this.#stack.splice(this.#stack.lastIndexOf(node)))
    for (const member of component) this.#onStack.delete(member)
    this.components.push(component)
  }

  #lower(node: number, candidate: number): void {
    this.#low.set(node, Math.min(this.#low.get(node) ?? 0, candidate))
  }
}

/** The shortest way along edges of some kinds, within some nodes; undefined where there is none. At least one edge. */
export function shortestPath(
  graph: DependencyGraph,
  way: { readonly from: number; readonly to: number; readonly within: ReadonlySet<number> },
  kinds: ReadonlySet<EdgeKind>,
): readonly Edge[] | undefined {
  const cameBy = new Map<number, Edge>()
  const queue = [way.from]
  for (const node of queue) {
    for (const edge of graph.from(node, kinds)) {
      if (!way.within.has(edge.to) || cameBy.has(edge.to)) continue
      cameBy.set(edge.to, edge)
      if (edge.to === way.to) return backtrack(cameBy, way)
      queue.push(edge.to)
    }
  }
  return undefined
}

function backtrack(
  cameBy: ReadonlyMap<number, Edge>,
  way: { readonly from: number; readonly to: number },
): readonly Edge[] {
  const path: Edge[] = []
  let at = way.to
  do {
    const edge = cameBy.get(at)
    if (edge === undefined) break
    path.unshift(edge)
    at = edge.from
  } while (at !== way.from)
  return path
}
