/** How much processor time a measurement takes, in ms: some turns of the scheduler on a machine that is shared. */
const burnMs = 25;

/** How long a measurement is good for, in ms. */
const validMs = 500;

let measured: { atMs: number; slowness: number } | undefined;

/**
 * A bound in ms for what takes less than `ms` on a machine with nothing else to do, on this machine as it is now: as many times longer as a
 * calculation takes here than the processor time that it needs. For tests that say that something does not wait; what a test waits for it polls.
 *
 * @param tookMs what it took, for tests that ask often: where that is less than `ms`, nothing is calculated
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
