/** Time budgets of test runs: `quick` 90 seconds, `short` 6 minutes, `ci` half an hour, `long` hours. */
export const testLengths = ["quick", "short", "ci", "long"] as const;

/** One of {@link testLengths}. */
export type TestLength = (typeof testLengths)[number];

/**
 * The length of this run: `PETAK_TEST_LENGTH`, set by `npm test`, `npm run test:ci` and the others. Default `short`.
 *
 * @throws RangeError if it is not a length
 */
export function testLength(): TestLength {
  const text = process.env.PETAK_TEST_LENGTH ?? "";
  if (text === "") return "short";
  const length = testLengths.find((name) => name === text);
  if (length === undefined) throw new RangeError(`PETAK_TEST_LENGTH is "${text}"; it must be one of ${testLengths.join(", ")}.`);
  return length;
}
