import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findRedisServer } from "@petak/redis/server";

/**
 * Makes a folder with a server program that outlives the signal which comes with a file that may not grow, as it outlives a full disk: there the write
 * fails and nothing else happens. For `searchPath` of {@link startTestServer}.
 */
export async function searchPathForFullDisk(directory: string): Promise<string> {
  return await wrap(directory, (path) => `trap '' XFSZ\nexec ${path} "$@"`);
}

/** Makes a folder with a server program that takes so many µs for each key that it reads back at its start. For `searchPath` as well. */
export async function searchPathForSlowStart(directory: string, keyLoadDelayUs: number): Promise<string> {
  return await wrap(directory, (path) => `exec ${path} "$@" --key-load-delay ${keyLoadDelayUs}`);
}

async function wrap(directory: string, script: (path: string) => string): Promise<string> {
  const { path, flavour } = await findRedisServer();
  const wrapper = join(directory, flavour === "redis" ? "redis-server" : "valkey-server");
  await writeFile(wrapper, `#!/bin/sh\n${script(path)}\n`);
  await chmod(wrapper, 0o755);
  return directory;
}
