/** The longest wait between two attempts to reach the gateway, in ms. */
const longestMs = 60_000;

/**
 * How long to wait after so many failures in a row, in ms: 1 s, doubled each time up to a minute, and spread so that the agents of a city
 * do not come back together.
 */
export function backOffMs(failures: number, random: () => number): number {
  return Math.min(longestMs, 1000 * 2 ** Math.min(failures - 1, 10)) * (0.5 + random() / 2);
}
