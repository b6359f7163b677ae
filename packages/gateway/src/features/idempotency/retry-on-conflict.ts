import type { PetakError } from "@petak/protocol";

/** How often an optimistic change is tried, and how it fails. */
export interface RetryOptions {
  /** The number of attempts. Default 5. */
  attempts?: number;
  /** The error after the last attempt. */
  conflict: () => PetakError;
}

const defaultAttempts = 5;

/**
 * Repeats an optimistic change: an attempt reads, plans by what it read, and writes only if nothing has changed meanwhile.
 *
 * @param attempt gets its number, from 0, and returns undefined where another attempt is needed, because what it read has changed or there is more to do
 * @throws {PetakError} `conflict` after the last attempt
 */
export async function retryOnConflict<Result>(
  attempt: (number: number) => Promise<Result | undefined>,
  { attempts = defaultAttempts, conflict }: RetryOptions,
): Promise<Result> {
  for (let number = 0; number < attempts; number++) {
    const result = await attempt(number);
    if (result !== undefined) return result;
  }
  throw conflict();
}
