import { execFile } from "node:child_process";
import { chmod, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { findRedisServer } from "@petak/allocator/redis-server";
import { logFile } from "./log-file.ts";
import type { TestServer } from "./test-server.ts";

const run = promisify(execFile);

/**
 * Makes a folder with a server program that outlives the signal which comes with a file that may not grow, as it outlives a full disk: there the write
 * fails and nothing else happens. For `searchPath` of {@link startTestServer}.
 */
export async function searchPathForFullDisk(directory: string): Promise<string> {
  const { path, flavour } = await findRedisServer();
  const wrapper = join(directory, flavour === "redis" ? "redis-server" : "valkey-server");
  await writeFile(wrapper, `#!/bin/sh\ntrap '' XFSZ\nexec ${path} "$@"\n`);
  await chmod(wrapper, 0o755);
  return directory;
}

/** Lets the log of a server grow by so many bytes and no more: to it the disk is full, and a command that is begun is written in part. */
export async function fillDisk({ dataDir, pid }: TestServer, roomBytes: number): Promise<void> {
  const { size } = await stat(await logFile(dataDir));
  await run("prlimit", ["--pid", String(pid), `--fsize=${size + roomBytes}:unlimited`]);
}

/** Gives it room again. */
export async function freeDisk({ pid }: TestServer): Promise<void> {
  await run("prlimit", ["--pid", String(pid), "--fsize=unlimited:unlimited"]);
}
