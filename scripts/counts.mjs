/** @typedef {{ passed: number; failed: number; skipped: number }} Counts The numbers of tests by result. */

/**
 * Reads the counts from the last line of a run's output. One failed if there is no such line, or if the exit code contradicts it.
 *
 * @param {string} printed at least the end of the output
 * @param {number | null} exitCode null if a signal ended it
 * @returns {Counts}
 */
export function readCounts(printed, exitCode) {
  const [, passed, failed, skipped] = /(?:^|\n)(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(printed) ?? [];
  const counts = { passed: Number(passed ?? 0), failed: Number(failed ?? 1), skipped: Number(skipped ?? 0) };
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/**
 * @param {Counts} one
 * @param {Counts} other
 * @returns {Counts}
 */
export function addCounts(one, other) {
  return { passed: one.passed + other.passed, failed: one.failed + other.failed, skipped: one.skipped + other.skipped };
}

/** The last line of every run. @param {Counts} counts */
export function countsLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped\n`;
}
