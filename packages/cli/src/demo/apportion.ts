/**
 * Divides the integer `total` in proportion to integer weights by the largest remainder method: the shares add up to `total`
 * exactly, and each differs from its true proportion by less than one. Equal remainders go to the greater weight, then to the first.
 *
 * @param total A whole number, at least 0. `total` times the greatest weight must stay below 2^53, so that the arithmetic is exact.
 * @throws {RangeError} if the weights add up to 0 but `total` does not, or if the numbers are too great.
 */
export function apportion(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  if (total === 0) return weights.map(() => 0);
  if (sum <= 0) throw new RangeError(`cannot divide ${total} among weights that add up to ${sum}`);
  const shares = weights.map((weight, index) => {
    const product = total * weight;
    if (!Number.isSafeInteger(product)) throw new RangeError(`${total} times ${weight} is not an exact integer`);
    return { index, weight, whole: Math.floor(product / sum), remainder: product % sum };
  });
  let left = total - shares.reduce((all, { whole }) => all + whole, 0);
  const byRemainder = shares.toSorted((a, b) => b.remainder - a.remainder || b.weight - a.weight || a.index - b.index);
  const result = shares.map(({ whole }) => whole);
  for (const { index, whole } of byRemainder) {
    if (left === 0) break;
    result[index] = whole + 1;
    left -= 1;
  }
  return result;
}
