/** Imports of modules, or of groups of modules: importer → imported. */
export type ImportGraph = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * The circles of a graph: each a list of names of which every one reaches every other, sorted. Tarjan's algorithm for strongly connected components
 * (R. Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1972).
 */
export function findCircles(graph: ImportGraph): string[][] {
  const numbers = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (name: string): number => {
    const number = numbers.size;
    numbers.set(name, number);
    lowest.set(name, number);
    stack.push(name);
    for (const imported of graph.get(name) ?? []) {
      const seen = numbers.get(imported);
      if (seen === undefined) lower(name, visit(imported));
      else if (stack.includes(imported)) lower(name, seen);
    }
    const low = lowest.get(name) as number;
    if (low === number) {
      const circle = stack.splice(stack.indexOf(name));
      if (circle.length > 1) circles.push(circle.sort());
    }
    return low;
  };
  const lower = (name: string, number: number) => lowest.set(name, Math.min(lowest.get(name) as number, number));
  for (const name of graph.keys()) if (!numbers.has(name)) visit(name);
  return circles.sort(([a = ""], [b = ""]) => a.localeCompare(b));
}

/**
 * The same graph with its modules put together.
 *
 * @param groupOf the group of a module. Imports within a group do not count.
 */
export function groupImports(graph: ImportGraph, groupOf: (module: string) => string): ImportGraph {
  const groups = new Map<string, Set<string>>();
  for (const [module, imports] of graph) {
    const group = groupOf(module);
    const known = groups.get(group) ?? new Set<string>();
    for (const imported of imports) if (groupOf(imported) !== group) known.add(groupOf(imported));
    groups.set(group, known);
  }
  return groups;
}
