import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { promisify } from "node:util";
import { logFile } from "./log-file.ts";
import type { TestServer } from "./test-server.ts";

const run = promisify(execFile);

/**
 * Lets the log of a server grow by so many bytes and no more: to it the disk is full, and a command that is begun is written in part. For a server that
 * was started with {@link searchPathForFullDisk}.
 */
export async function fillDisk({ dataDir, pid }: TestServer, roomBytes: number): Promise<void> {
  const { size } = await stat(await logFile(dataDir));
  await run("prlimit", ["--pid", String(pid), `--fsize=${size + roomBytes}:unlimited`]);
}

/** Gives it room again. */
export async function freeDisk({ pid }: TestServer): Promise<void> {
  await run("prlimit", ["--pid", String(pid), "--fsize=unlimited:unlimited"]);
}
