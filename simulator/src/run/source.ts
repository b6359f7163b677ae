import type { Intention } from "../trace/intention.ts";

/** The intentions of a trace, read as far as they are needed. */
export interface Source {
  /** When the next one is due; Infinity if there is none any more. */
  readonly nextMs: number;
  /** Takes out those that are due by a time. */
  takeUntil(planMs: number): Promise<Intention[]>;
  /** Reads no further, and closes what they are read from. */
  close(): Promise<void>;
}

/** Reads the first intention. */
export async function openSource(intentions: AsyncIterable<Intention> | Iterable<Intention>): Promise<Source> {
  const iterator = Symbol.asyncIterator in intentions ? intentions[Symbol.asyncIterator]() : intentions[Symbol.iterator]();
  let next = await iterator.next();
  return {
    get nextMs() {
      return next.done === true ? Number.POSITIVE_INFINITY : next.value.atMs;
    },
    async takeUntil(planMs) {
      const taken: Intention[] = [];
      while (next.done !== true && next.value.atMs <= planMs) {
        taken.push(next.value);
        next = await iterator.next();
      }
      return taken;
    },
    async close() {
      await iterator.return?.();
    },
  };
}
