/** A deterministic source of random numbers. */
export interface Random {
  /** The next number in [0, 1). */
  next(): number;
  /** The next number in [from, to). */
  between(from: number, to: number): number;
  /** A random item, with a probability proportional to its weight. The list must not be empty. */
  weighted<T>(items: readonly T[], weightOf: (item: T) => number): T;
}

/**
 * A random source seeded by the parts, so that draws for one place do not affect another.
 *
 * Generator: sfc32, seeded with FNV-1a hashes. Not for secrets.
 */
export function createRandom(...parts: (string | number)[]): Random {
  const text = parts.join("\u0000");
  let a = hash(text);
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
  // The first outputs still correlate with the seed.
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

/** FNV-1a of a text's UTF-16 code units, 32 bits with a sign. @param basis others than FNV's own give a text further hashes */
export function hash(text: string, basis = 0x811c9dc5): number {
  let value = basis;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value | 0;
}
