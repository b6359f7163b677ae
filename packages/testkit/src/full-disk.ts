import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { promisify } from "node:util";
import { logFile } from "./log-file.ts";
import type { TestServer } from "./test-server.ts";

const run = promisify(execFile);

/**
 * Simulates a full disk: limits the growth of a server's append-only file, so that a command may be written only in part. For a server started with
 * {@link searchPathForFullDisk}.
 */
export async function fillDisk({ dataDir, pid }: TestServer, roomBytes: number): Promise<void> {
  const { size } = await stat(await logFile(dataDir));
  await run("prlimit", ["--pid", String(pid), `--fsize=${size + roomBytes}:unlimited`]);
}

/** Removes the limit of {@link fillDisk}. */
export async function freeDisk({ pid }: TestServer): Promise<void> {
  await run("prlimit", ["--pid", String(pid), "--fsize=unlimited:unlimited"]);
}
