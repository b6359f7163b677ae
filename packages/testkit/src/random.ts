/** A deterministic random source for tests. Not for secrets. */
export interface Random {
  /** Its seed. */
  readonly seed: number;
  /** A number from 0 to less than 1, or from `min` to less than `max`. */
  float(min?: number, max?: number): number;
  /** An integer from `min` to `max`, inclusive. */
  int(min: number, max: number): number;
  /** True with a probability. Default 0.5. */
  bool(probability?: number): boolean;
  /** A random item. @throws RangeError if there are none */
  pick<T>(items: readonly T[]): T;
  /** The items in random order (Fisher–Yates), as a new array. */
  shuffle<T>(items: readonly T[]): T[];
  /** Random bytes, e.g. for malformed requests. */
  bytes(length: number): Uint8Array;
  /** An independent source, so that parts of a test do not affect each other's numbers. */
  fork(): Random;
}

/** Makes a source. @param seed an integer, of which the low 32 bits are used */
export function createRandom(seed: number): Random {
  const next = mulberry32(seed);
  const random: Random = {
    seed,
    float: (min = 0, max = 1) => min + next() * (max - min),
    int: (min, max) => min + Math.floor(next() * (max - min + 1)),
    bool: (probability = 0.5) => next() < probability,
    pick: <T>(items: readonly T[]): T => {
      if (items.length === 0) throw new RangeError("There are no items to pick from.");
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

/** Tommy Ettinger's mulberry32, with 32 bits of state. */
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
