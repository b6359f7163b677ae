import { ownCpuSeconds, treeCpuSeconds } from "../process-cpu.ts";

/** The ids of the store's processes, separated by spaces, and of the gateway's process, whose time is counted. */
export const storePidsVariable = "BENCH_STORE_PIDS";
export const workPidVariable = "BENCH_WORK_PID";

/** The result of some lives. */
export interface LifeRun {
  clients: number;
  lives: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
  /** Events that a listener received, and how long after the last life it received the last of them, in ms. */
  delivered: number;
  lastDeliveredMs: number;
  /** Processor time meanwhile of the store's processes, and of the gateway or this process, in s. */
  storeCpuSeconds: number;
  workCpuSeconds: number;
}

/** The result of lives that were started at a fixed rate. */
export interface PacedRun {
  /** The rate wanted and reached, a second. */
  wanted: number;
  lives: number;
  seconds: number;
  /** Percentiles of the time from when a life was due to its end, in ms. */
  p50Ms: number;
  p99Ms: number;
  /** Percentiles of the time from when an event was recorded, truncated to ms, to its arrival at a listener, in ms. */
  deliveryP50Ms: number;
  deliveryP99Ms: number;
  delivered: number;
}

/** A listener to recorded events. */
export interface Listener {
  /** The number of events received. */
  readonly count: number;
  /** The delay of each event, in ms. */
  readonly delaysMs: number[];
  close(): Promise<void>;
}

/** Duration of the warm-up, in s, in which Node compiles hot code and PostgreSQL plans. */
export const warmUpSeconds = 2;

/** How long a listener may take for outstanding events at the end, in ms. */
const outstandingMs = 30_000;

/** Runs lives one after the other with each client, as many as are done in a number of seconds after a warm-up. */
export async function runLives(
  clients: number,
  seconds: number,
  listener: Listener,
  eventsEach: number,
  life: (client: number) => Promise<void>,
  warmUp = warmUpSeconds,
): Promise<LifeRun> {
  if (warmUp > 0) await runCounted(clients, warmUp, listener, eventsEach, life);
  return await runCounted(clients, seconds, listener, eventsEach, life);
}

async function runCounted(
  clients: number,
  seconds: number,
  listener: Listener,
  eventsEach: number,
  life: (client: number) => Promise<void>,
): Promise<LifeRun> {
  const timesMs: number[] = [];
  const [storeBefore, workBefore] = [storeCpu(), workCpu()];
  const [deliveredBefore, beganMs] = [listener.count, performance.now()];
  const untilMs = beganMs + seconds * 1000;
  const worker = async (client: number) => {
    for (let atMs = performance.now(); atMs < untilMs; ) {
      await life(client);
      const nowMs = performance.now();
      timesMs.push(nowMs - atMs);
      atMs = nowMs;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => worker(client)));
  const endedMs = performance.now();
  await untilDelivered(listener, deliveredBefore + timesMs.length * eventsEach);
  return {
    clients,
    lives: timesMs.length,
    seconds: (endedMs - beganMs) / 1000,
    ...percentiles(timesMs),
    delivered: listener.count - deliveredBefore,
    lastDeliveredMs: performance.now() - endedMs,
    storeCpuSeconds: storeCpu() - storeBefore,
    workCpuSeconds: workCpu() - workBefore,
  };
}

/**
 * Starts lives at equal intervals, independent of earlier ones, after a warm-up. If all clients are busy, a life waits, and its time counts
 * from when it was due.
 */
export async function runPaced(
  clients: number,
  seconds: number,
  wanted: number,
  listener: Listener,
  eventsEach: number,
  life: (client: number) => Promise<void>,
  warmUp = warmUpSeconds,
): Promise<PacedRun> {
  if (warmUp > 0) await runCounted(clients, warmUp, listener, eventsEach, life);
  const timesMs: number[] = [];
  const [deliveredBefore, delaysBefore, beganMs] = [listener.count, listener.delaysMs.length, performance.now()];
  const total = Math.round(wanted * seconds);
  let next = 0;
  const worker = async (client: number) => {
    while (next < total) {
      const dueMs = beganMs + (next++ / wanted) * 1000;
      for (let leftMs = dueMs - performance.now(); leftMs > 0; leftMs = dueMs - performance.now()) await pause(leftMs);
      await life(client);
      timesMs.push(performance.now() - dueMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => worker(client)));
  const endedMs = performance.now();
  await untilDelivered(listener, deliveredBefore + total * eventsEach);
  const delays = percentiles(listener.delaysMs.slice(delaysBefore));
  return {
    wanted,
    lives: total,
    seconds: (endedMs - beganMs) / 1000,
    ...percentiles(timesMs),
    deliveryP50Ms: delays.p50Ms,
    deliveryP99Ms: delays.p99Ms,
    delivered: listener.count - deliveredBefore,
  };
}

/**
 * Waits until a listener has received every recorded event, and no more.
 *
 * @throws {Error} if an event is missing or was received twice
 */
async function untilDelivered(listener: Listener, expected: number): Promise<void> {
  const deadlineMs = performance.now() + outstandingMs;
  while (listener.count < expected && performance.now() < deadlineMs) await pause(1);
  if (listener.count !== expected) throw new Error(`the listener received ${listener.count} events, not ${expected}`);
}

/** The median of some times, and their 99th percentile. NaN if there are none. */
export function percentiles(timesMs: readonly number[]): { p50Ms: number; p99Ms: number } {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

function storeCpu(): number {
  return (process.env[storePidsVariable] ?? "")
    .split(" ")
    .filter((pid) => pid !== "")
    .reduce((sum, pid) => sum + treeCpuSeconds(Number(pid)), 0);
}

function workCpu(): number {
  const pid = process.env[workPidVariable];
  return pid === undefined ? ownCpuSeconds() : treeCpuSeconds(Number(pid));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
