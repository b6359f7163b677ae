/** A priority queue of search nodes, by the lower bound of their distance. */
export interface Frontier<Node> {
  /** Adds a node. */
  push(leastM: number, node: Node): void;
  /** The least bound of all nodes; Infinity if empty. */
  leastM(): number;
  /** Removes the node with the least bound. */
  pop(): Node | undefined;
}

/** Creates a frontier as a binary heap. */
export function createFrontier<Node>(): Frontier<Node> {
  const heap: { leastM: number; node: Node }[] = [];
  const distance = (index: number) => heap[index]?.leastM ?? Number.POSITIVE_INFINITY;
  const swap = (a: number, b: number) => {
    const held = heap[a] as { leastM: number; node: Node };
    heap[a] = heap[b] as { leastM: number; node: Node };
    heap[b] = held;
  };
  return {
    push(leastM, node) {
      let index = heap.push({ leastM, node }) - 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if (distance(parent) <= distance(index)) break;
        swap(parent, index);
        index = parent;
      }
    },
    leastM: () => distance(0),
    pop() {
      const top = heap[0];
      const last = heap.pop();
      if (top === undefined || last === undefined) return undefined;
      if (heap.length === 0) return top.node;
      heap[0] = last;
      let index = 0;
      for (;;) {
        const left = 2 * index + 1;
        const least = distance(left + 1) < distance(left) ? left + 1 : left;
        if (distance(least) >= distance(index)) break;
        swap(least, index);
        index = least;
      }
      return top.node;
    },
  };
}
