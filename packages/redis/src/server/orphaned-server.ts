import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { readPidFile, removePidFile } from "./pid-file.ts";
import { RedisServerError } from "./redis-server-error.ts";

/** Interval at which a signalled process is checked, in ms. */
const pollMs = 20;

const run = promisify(execFile);

/**
 * Ends the server that a crashed gateway left running on this data directory, if there is one. The orphan is not reused: its settings or
 * version may differ, and a fresh start reloads the append-only file as any restart would. Call this while holding the directory's lock,
 * which proves that the process that started the orphan is gone.
 *
 * Process ids are reused, so the pid file alone proves nothing: a process counts as the orphan only if its command line names this
 * directory's configuration file.
 *
 * @throws RedisServerError `LEFT_OVER` if it survives SIGKILL for `stopTimeoutMs`.
 */
export async function endOrphanedServer(dataDir: string, configPath: string, stopTimeoutMs: number): Promise<void> {
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
      `The Redis server of an earlier run (process ${serverPid}) cannot be stopped; kill it, then start again.`,
    );
  }
  await removePidFile(dataDir);
}

async function runsWith(pid: number, configPath: string): Promise<boolean> {
  return (await commandLine(pid)).includes(configPath);
}

/** The command line of a process; empty if it has ended, zombies included. From `/proc` on Linux, from `ps` elsewhere. */
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
