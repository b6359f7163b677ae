import type { PetakError } from "@petak/protocol";

/** Options of {@link retryOnConflict}. */
export interface RetryOptions {
  /** The number of attempts. Default 5. */
  attempts?: number;
  /** The error after the last attempt. */
  conflict: () => PetakError;
}

const defaultAttempts = 5;

/**
 * Retries a change under optimistic concurrency: an attempt reads, plans, and writes only if what it read is unchanged.
 *
 * @param attempt gets its number, from 0. It returns undefined to request another attempt, after a conflict or if more steps remain
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
