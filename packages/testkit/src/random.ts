/** A source of numbers that are random to the test and the same for the same seed. Never for secrets. */
export interface Random {
  /** What it was made from. */
  readonly seed: number;
  /** A number from 0 to less than 1, or from `min` to less than `max`. */
  float(min?: number, max?: number): number;
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  /** True with the given probability; one half, if left out. */
  bool(probability?: number): boolean;
  /** One of the items. @throws RangeError where there are none */
  pick<T>(items: readonly T[]): T;
  /** The items in another order, as a new array: every order is as likely (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** Random bytes, e.g. for requests that make no sense. */
  bytes(length: number): Uint8Array;
  /** A source of its own, so that what one part of a test draws does not move what another part gets. */
  fork(): Random;
}

/** Makes a source. @param seed any whole number; its low 32 bits count */
export function createRandom(seed: number): Random {
  const next = mulberry32(seed);
  const random: Random = {
    seed,
    float: (min = 0, max = 1) => min + next() * (max - min),
    int: (min, max) => min + Math.floor(next() * (max - min + 1)),
    bool: (probability = 0.5) => next() < probability,
    pick: <T>(items: readonly T[]): T => {
      if (items.length === 0) throw new RangeError("There is nothing to pick from.");
      return items[random.int(0, items.length - 1)] as T;
    },
    shuffle: <T>(items: readonly T[]): T[] => {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = random.int(0, last);
        [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
      }
      return shuffled;
    },
    bytes: (length) => Uint8Array.from({ length }, () => random.int(0, 255)),
    fork: () => createRandom(random.int(0, 0xffffffff)),
  };
  return random;
}

/** Tommy Ettinger's mulberry32: 32 bits of state, good enough for tests, and short enough to check by eye. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
