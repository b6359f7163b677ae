import { setTimeout as pause } from "node:timers/promises";

const pollMs = 10;

/** Resolves when a condition is true; rejects if it is not within the time. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(pollMs);
  }
}
