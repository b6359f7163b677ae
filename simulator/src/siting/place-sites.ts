import type { Position } from "@petak/protocol/geo";
import { PositionIndex } from "../geo/position-index.ts";

/** People at a place. */
export interface Demand extends Position {
  /** At least 0. */
  readonly weight: number;
}

/** A site that was chosen. */
export interface PlacedSite {
  /** Its number in the list of candidates. */
  readonly candidate: number;
  /** The weight that it covers and no site before it does. */
  readonly gain: number;
}

/** Where more sites would cover most. */
export interface Siting {
  /** The weight of all demand, and how much of it the existing sites cover. */
  readonly total: number;
  readonly coveredBefore: number;
  /** The chosen ones, in the order of choice: those of a smaller count are the first of a greater one. */
  readonly placed: readonly PlacedSite[];
}

/**
 * Chooses sites so that as much demand as possible is within a walk of one, without regard to capacities. Greedy: each is the candidate that adds most; of equal ones
 * the first. That covers at least 1 - 1/e = 63 % of what the best choice adds (G. L. Nemhauser, L. A. Wolsey, M. L. Fisher, Math. Program. 14, 1978). Lazy: a gain
 * never grows, so only the candidates at the top are computed anew (M. Minoux, 1978).
 *
 * @param options `walkM`: great-circle distance in m, above 0. `count`: most sites to choose; fewer are chosen if no candidate adds anything
 */
export function placeSites(
  demand: readonly Demand[],
  existing: readonly Position[],
  candidates: readonly Position[],
  { walkM, count }: { walkM: number; count: number },
): Siting {
  const index = new PositionIndex(demand, walkM);
  const isCovered = new Uint8Array(demand.length);
  const gainOf = (position: Position) =>
    index
      .within(position, walkM)
      .reduce((sum, found) => (isCovered[found.index] === 1 ? sum : sum + (demand[found.index] as Demand).weight), 0);
  const cover = (position: Position) => {
    for (const found of index.within(position, walkM)) isCovered[found.index] = 1;
  };
  const total = demand.reduce((sum, { weight }) => sum + weight, 0);
  for (const position of existing) cover(position);
  const coveredBefore = demand.reduce((sum, { weight }, at) => (isCovered[at] === 1 ? sum + weight : sum), 0);
  const heap = new CandidateHeap(candidates.map((position, candidate) => ({ candidate, gain: gainOf(position) })));
  const placed: PlacedSite[] = [];
  while (placed.length < count) {
    const top = heap.pop();
    if (top === undefined || top.gain <= 0) break;
    const position = candidates[top.candidate] as Position;
    const gain = gainOf(position);
    const next = heap.peek();
    if (gain <= 0) continue;
    if (next !== undefined && isBefore(next, { candidate: top.candidate, gain })) {
      heap.push({ candidate: top.candidate, gain });
      continue;
    }
    cover(position);
    placed.push({ candidate: top.candidate, gain });
  }
  return { total, coveredBefore, placed };
}

function isBefore(a: PlacedSite, b: PlacedSite): boolean {
  return a.gain > b.gain || (a.gain === b.gain && a.candidate < b.candidate);
}

/** A binary heap with the greatest gain on top. */
class CandidateHeap {
  readonly #items: PlacedSite[] = [];

  constructor(items: readonly PlacedSite[]) {
    for (const item of items) this.push(item);
  }

  peek(): PlacedSite | undefined {
    return this.#items[0];
  }

  push(item: PlacedSite): void {
    let at = this.#items.push(item) - 1;
    while (at > 0 && this.#swapIfBefore(at, (at - 1) >> 1)) at = (at - 1) >> 1;
  }

  pop(): PlacedSite | undefined {
    const [top] = this.#items;
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return top;
    this.#items[0] = last;
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const rightItem = this.#items[right];
      const child = rightItem !== undefined && isBefore(rightItem, this.#items[left] as PlacedSite) ? right : left;
      if (child >= this.#items.length || !this.#swapIfBefore(child, at)) return top;
      at = child;
    }
  }

  /** Swaps a child with its parent if it belongs before it. */
  #swapIfBefore(child: number, parent: number): boolean {
    const [a, b] = [this.#items[child] as PlacedSite, this.#items[parent] as PlacedSite];
    if (!isBefore(a, b)) return false;
    this.#items[child] = b;
    this.#items[parent] = a;
    return true;
  }
}
