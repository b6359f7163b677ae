import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findRedisServer } from "@petak/redis/server";

/**
 * Makes a folder with a server program that ignores SIGXFSZ, so that writing beyond a file size limit fails as on a full disk. For `searchPath` of
 * {@link startTestServer}.
 */
export async function searchPathForFullDisk(directory: string): Promise<string> {
  return await wrap(directory, (path) => `trap '' XFSZ\nexec ${path} "$@"`);
}

/** Makes a folder with a server program that delays its start by a number of µs for each loaded key. For `searchPath` of {@link startTestServer}. */
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
