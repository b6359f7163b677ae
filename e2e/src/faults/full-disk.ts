import { execFile } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { findRedisServer } from "@petak/allocator/redis-server";

const run = promisify(execFile);

/**
 * Makes a folder with a server program that outlives the signal which comes with a file that may not grow, as it outlives a full disk: there the write
 * fails and nothing else happens.
 */
export async function searchPathForFullDisk(directory: string): Promise<string> {
  const { path, flavour } = await findRedisServer();
  const wrapper = join(directory, flavour === "redis" ? "redis-server" : "valkey-server");
  await writeFile(wrapper, `#!/bin/sh\ntrap '' XFSZ\nexec ${path} "$@"\n`);
  await chmod(wrapper, 0o755);
  return directory;
}

/** Lets no file of a process grow beyond so many bytes: to it the disk is full. */
export async function fillDisk(pid: number, bytes: number): Promise<void> {
  await run("prlimit", ["--pid", String(pid), `--fsize=${bytes}:unlimited`]);
}

/** Gives it room again. */
export async function freeDisk(pid: number): Promise<void> {
  await run("prlimit", ["--pid", String(pid), "--fsize=unlimited:unlimited"]);
}
