import type { Act } from "../actors/moment.ts";

/** An act that is to be done. */
export interface Planned {
  readonly planMs: number;
  readonly act: Act;
  readonly lane: string | undefined;
  /** What is done if too much is in progress; undefined: it is done all the same. */
  readonly drop?: () => void;
  /** In the order in which they were put in: decides among those that are due at the same time. */
  readonly number: number;
}

/** Acts in the order in which they are due: a binary heap. */
export class Agenda {
  readonly #heap: Planned[] = [];
  #count = 0;
  #droppable = 0;

  /** When the first act is due; Infinity if there is none. */
  get nextMs(): number {
    return this.#heap[0]?.planMs ?? Number.POSITIVE_INFINITY;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** How many of the acts begin an intention: those that can be dropped. */
  get droppable(): number {
    return this.#droppable;
  }

  add(planned: Omit<Planned, "number">): void {
    const heap = this.#heap;
    if (planned.drop !== undefined) this.#droppable += 1;
    heap.push({ ...planned, number: this.#count++ });
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Takes out the first act, if it is due by a time. */
  take(untilMs: number): Planned | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.planMs > untilMs) return undefined;
    if (first.drop !== undefined) this.#droppable -= 1;
    const last = heap.pop() as Planned;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #sink(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      if (left >= this.#heap.length) return;
      const child = left + 1 < this.#heap.length && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(child, at)) return;
      this.#swap(child, at);
      at = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a] as Planned, this.#heap[b] as Planned];
    return one.planMs < other.planMs || (one.planMs === other.planMs && one.number < other.number);
  }

  #swap(a: number, b: number): void {
    const kept = this.#heap[a] as Planned;
    this.#heap[a] = this.#heap[b] as Planned;
    this.#heap[b] = kept;
  }
}
