import { testSeed } from "@petak/testkit";

/**
 * Returns a function that gives so many of some values, other ones at each call, or all if there are no more. With it a matrix of tests meets every value without every
 * combination. The seed decides which value is the first, so that runs with other seeds meet the other combinations.
 */
export function byTurns(count: number): <Value>(values: readonly Value[]) => readonly Value[] {
  let turn = testSeed();
  return (values) => {
    turn += 1;
    const first = turn % Math.max(values.length, 1);
    return [...values.slice(first), ...values.slice(0, first)].slice(0, count);
  };
}
