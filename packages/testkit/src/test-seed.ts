import { randomInt } from "node:crypto";

let seed: number | undefined;

/**
 * The seed of this run: `PETAK_TEST_SEED`, or a random one. Printed once per process, so that a failure can be reproduced with `PETAK_TEST_SEED=… npm test`.
 *
 * @throws RangeError if `PETAK_TEST_SEED` is not an integer from 0 to 4294967295
 */
export function testSeed(): number {
  if (seed === undefined) {
    seed = readSeed(process.env.PETAK_TEST_SEED) ?? randomInt(0x1_0000_0000);
    process.stdout.write(`PETAK_TEST_SEED=${seed}\n`);
  }
  return seed;
}

/** Parses a seed. */
export function readSeed(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0 || value > 0xffffffff) {
    throw new RangeError(`PETAK_TEST_SEED is "${text}"; it must be a whole number from 0 to 4294967295.`);
  }
  return value;
}
