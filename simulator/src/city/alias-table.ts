import type { Random } from "../random/random.ts";

/**
 * Draws indices with probabilities proportional to weights, in constant time (M. D. Vose, "A linear algorithm for generating random numbers with a given
 * distribution", IEEE Trans. Softw. Eng. 17, 1991).
 */
export class AliasTable {
  readonly #keep: Float64Array;
  readonly #alias: Uint32Array;

  /**
   * @param weights finite, at least 0
   * @throws RangeError if one is not, or all are 0
   */
  constructor(weights: readonly number[]) {
    const count = weights.length;
    const wrong = weights.find((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY));
    if (wrong !== undefined) throw new RangeError(`weights are finite and at least 0, not ${wrong}`);
    const sum = weights.reduce((all, weight) => all + weight, 0);
    if (!(sum > 0)) throw new RangeError("all weights are 0: nothing can be drawn");
    this.#keep = Float64Array.from(weights, (weight) => (weight / sum) * count);
    this.#alias = Uint32Array.from(weights, (_, index) => index);
    const small: number[] = [];
    const large: number[] = [];
    for (const [index, share] of this.#keep.entries()) (share < 1 ? small : large).push(index);
    while (small.length > 0 && large.length > 0) {
      const less = small.pop() as number;
      const more = large.at(-1) as number;
      this.#alias[less] = more;
      const left = (this.#keep[more] as number) - (1 - (this.#keep[less] as number));
      this.#keep[more] = left;
      if (left < 1) small.push(large.pop() as number);
    }
    // What rounding has left over has share 1, unless its weight is 0.
    for (const index of large) this.#keep[index] = 1;
    for (const index of small) if ((weights[index] as number) > 0) this.#keep[index] = 1;
  }

  /** An index; one of weight 0 is never drawn. Takes two numbers of the source. */
  draw(random: Random): number {
    const index = Math.floor(random.next() * this.#keep.length);
    return random.next() < (this.#keep[index] as number) ? index : (this.#alias[index] as number);
  }
}
