import { readdirSync, readFileSync } from "node:fs";

/** The ticks a second in which Linux counts processor time (`getconf CLK_TCK`). */
const ticksPerSecond = 100;

interface ProcessTimes {
  parent: number;
  /** Of the process, its threads, and its children that have exited and were waited for. */
  seconds: number;
}

/**
 * Seconds of processor time, in user and kernel mode, that a process and its descendants have used, including those that have exited
 * (Linux). So a server's processes for connections and background work count as the server's.
 */
export function treeCpuSeconds(rootPid: number): number {
  const all = new Map<number, ProcessTimes>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    const times = Number.isInteger(pid) ? timesOf(pid) : undefined;
    if (times !== undefined) all.set(pid, times);
  }
  const isBelow = (pid: number): boolean => pid === rootPid || (all.has(pid) && isBelow(all.get(pid)?.parent ?? 0));
  let seconds = 0;
  for (const [pid, times] of all) if (isBelow(pid)) seconds += times.seconds;
  return seconds;
}

/**
 * Nanoseconds of processor time of a process's running threads (Linux), for short turns, which {@link treeCpuSeconds} counts too coarsely.
 */
export function threadsCpuNanos(pid: number): number {
  const folder = `/proc/${pid}/task`;
  let nanos = 0;
  for (const thread of readdirSync(folder)) nanos += Number(readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ")[0]);
  return nanos;
}

/** Seconds of processor time that this process has used. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function timesOf(pid: number): ProcessTimes | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    // It has exited meanwhile.
    return undefined;
  }
  // The fields follow the name, which is in parentheses and may contain any character.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0);
  return { parent: Number(fields[1]), seconds: ticks / ticksPerSecond };
}
