/** Processor time of a measurement, in ms: several scheduler slices on a shared machine. */
const burnMs = 25;

/** How long a measurement stays valid, in ms. */
const validMs = 500;

let measured: { atMs: number; slowness: number } | undefined;

/**
 * Scales a time limit in ms for an idle machine to the present load of this machine: by the ratio of elapsed to processor time of a calculation. For tests that
 * assert that something does not wait; tests that wait for something poll instead.
 *
 * @param tookMs the measured time, for tests that ask often: if it is less than `ms`, nothing is calculated
 */
export function onThisMachine(ms: number, tookMs = Number.POSITIVE_INFINITY): number {
  if (tookMs < ms) return ms;
  if (measured === undefined || performance.now() - measured.atMs > validMs)
    measured = { slowness: measureSlowness(), atMs: performance.now() };
  return ms * measured.slowness;
}

function measureSlowness(): number {
  const beganMs = performance.now();
  const began = process.cpuUsage();
  let usedMs = 0;
  while (usedMs < burnMs) {
    for (let turn = 0; turn < 100_000; turn += 1) Math.sqrt(turn);
    const { user, system } = process.cpuUsage(began);
    usedMs = (user + system) / 1000;
  }
  return Math.max(1, (performance.now() - beganMs) / usedMs);
}
