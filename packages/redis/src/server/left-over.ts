import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { readPidFile, removePidFile } from "./pid-file.ts";
import { RedisServerError } from "./redis-server-error.ts";

/** How often a process that was told to end is looked at. */
const pollMs = 20;

const run = promisify(execFile);

/**
 * Ends the server that a crashed gateway left running over this data directory, if there is one. It is ended and not taken over, because it
 * may run with other settings or be another version, and because starting afresh reads the log back, which is what a restart should prove.
 * Call it while holding the directory's lock: then whoever started that server is gone.
 *
 * The pid file alone proves nothing, for numbers of processes are given out again. A process counts as the left-over only if its
 * command line names this directory's configuration file.
 *
 * @throws RedisServerError `LEFT_OVER` where it survives even SIGKILL for as long as `stopTimeoutMs`
 */
export async function endLeftOver(dataDir: string, configPath: string, stopTimeoutMs: number): Promise<void> {
  const pidFile = await readPidFile(dataDir);
  if (pidFile === undefined) return;
  const { serverPid } = pidFile;
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (!(await runsWith(serverPid, configPath))) break;
    signalIfThere(serverPid, signal);
    const deadline = Date.now() + stopTimeoutMs;
    while (Date.now() < deadline && (await runsWith(serverPid, configPath))) await delay(pollMs);
  }
  if (await runsWith(serverPid, configPath)) {
    throw new RedisServerError(
      "LEFT_OVER",
      `A server left over from an earlier run (process ${serverPid}) does not end; end it by hand, then start again.`,
    );
  }
  await removePidFile(dataDir);
}

async function runsWith(pid: number, configPath: string): Promise<boolean> {
  return (await commandLine(pid)).includes(configPath);
}

/** The command line of a process; empty where it has ended, a zombie included. Linux keeps it in `/proc`; elsewhere `ps` knows. */
async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === "linux") return await readFile(`/proc/${pid}/cmdline`, "utf8");
    return (await run("ps", ["-ww", "-o", "args=", "-p", String(pid)])).stdout;
  } catch {
    return "";
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
