/**
 * Sees to it that a Redis or Valkey server is on the path, installing one with the system's package manager where that is permitted. Only the
 * program is wanted: Petak starts servers of its own, on Unix sockets, so the system's service is neither enabled nor started.
 */
import { findRedisServer, RedisServerError } from "@petak/allocator/redis-server";
import { findPackageManager, type PackageManager } from "./package-managers.ts";
import { withProgress } from "./progress.mjs";

const howToInstall =
  "For example: sudo apt-get install redis-server (Debian 13, Ubuntu 25.04), sudo dnf install valkey, sudo apk add valkey, brew install redis.";

async function problemWithServer(): Promise<string | undefined> {
  try {
    await findRedisServer();
    return undefined;
  } catch (error) {
    if (error instanceof RedisServerError) return error.message;
    throw error;
  }
}

async function install(manager: PackageManager): Promise<boolean> {
  for (const name of await manager.candidates()) {
    const result = await withProgress(`Installing ${name} with ${manager.name}`, () => manager.install(name));
    if (result.code === 0 && (await problemWithServer()) === undefined) {
      process.stderr.write(`${name} is installed. Its service is switched off: Petak starts servers of its own, on no port.\n`);
      return true;
    }
    if (result.code !== 0) process.stderr.write(`${result.output}\n`);
  }
  return false;
}

const problem = await problemWithServer();
if (problem !== undefined) {
  const manager = await findPackageManager();
  const installed = manager !== undefined && (await install(manager));
  if (!installed) {
    const reason = manager === undefined ? "no package manager may be used here" : `${manager.name} offers none that is new enough`;
    process.stderr.write(`${problem} It was not installed for you, because ${reason}. ${howToInstall}\n`);
    process.exitCode = 1;
  }
}
