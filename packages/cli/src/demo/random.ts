/** A repeatable source of random numbers. */
export interface Random {
  /** The next number in [0, 1). */
  next(): number;
  /** The next number in [from, to). */
  between(from: number, to: number): number;
  /** One of the items, each with a chance in proportion to its weight. The list must not be empty. */
  weighted<T>(items: readonly T[], weightOf: (item: T) => number): T;
}

/**
 * A random source that depends on nothing but the parts, so that what is drawn for one place never shifts what is drawn for another.
 *
 * The generator is sfc32, seeded with FNV-1a hashes of the parts: good enough to scatter points, useless for secrets.
 */
export function createRandom(...parts: (string | number)[]): Random {
  const text = parts.join("\u0000");
  let a = hash(text, 0x811c9dc5);
  let b = hash(text, 0x9e3779b9);
  let c = hash(text, 0x85ebca6b);
  let counter = 1;
  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 0x1_0000_0000;
  }
  // The first outputs still look like the seed.
  for (let warmUp = 0; warmUp < 12; warmUp += 1) next();
  return {
    next,
    between: (from, to) => from + (to - from) * next(),
    weighted(items, weightOf) {
      const total = items.reduce((sum, item) => sum + weightOf(item), 0);
      let rest = next() * total;
      for (const item of items) {
        rest -= weightOf(item);
        if (rest < 0) return item;
      }
      const last = items.at(-1);
      if (last === undefined) throw new RangeError("weighted() needs at least one item");
      return last;
    },
  };
}

function hash(text: string, basis: number): number {
  let value = basis;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value | 0;
}
