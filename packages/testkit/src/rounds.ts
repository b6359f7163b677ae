import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Which part of their rounds the long property tests of a project run, from 0 to 1. Default 1. */
    roundsShare?: number;
  }
}

/**
 * How many rounds a long property test runs here: all of them, or the part that is enough where the same test also runs in full elsewhere.
 *
 * @param least What chance needs to bring about all that the test waits for; 1, if left out
 */
export function roundsHere(rounds: number, least = 1): number {
  return Math.max(least, Math.ceil(rounds * (inject("roundsShare") ?? 1)));
}
