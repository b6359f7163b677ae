import { findRedisServer, type RedisFlavour, RedisServerError } from "@petak/redis/server";
/**
 * Ensures that a Redis or Valkey server is on the PATH, by installing one with the system's package manager if that is permitted. Only the
 * program is required: Petak starts its own servers on Unix sockets, so the system's service is neither enabled nor started.
 *
 * With `--both`, for tests, it does the same for the other of the two, without failing: if the other is missing, the tests say that they
 * run over one server only.
 */

import { findPackageManager, type PackageManager } from "./package-managers.ts";
import { withProgress } from "./progress.mjs";

const howToInstall =
  "For example: sudo apt-get install redis-server (Debian 13, Ubuntu 25.04), sudo dnf install valkey, sudo apk add valkey, brew install redis.";

async function problemWithServer(flavour?: RedisFlavour): Promise<string | undefined> {
  try {
    await findRedisServer(flavour === undefined ? {} : { flavour });
    return undefined;
  } catch (error) {
    if (error instanceof RedisServerError) return error.message;
    throw error;
  }
}

/** Installs a server. @param flavour the required flavour; default: either */
async function install(manager: PackageManager, flavour?: RedisFlavour): Promise<boolean> {
  for (const name of await manager.candidates()) {
    if (flavour !== undefined && !name.startsWith(flavour)) continue;
    const result = await withProgress(`Installing ${name} with ${manager.name}`, () => manager.install(name));
    if (result.code === 0 && (await problemWithServer(flavour)) === undefined) {
      process.stderr.write(`${name} is installed. Its service is switched off: Petak starts servers of its own, on no port.\n`);
      return true;
    }
    if (result.code !== 0) process.stderr.write(`${result.output}\n`);
  }
  return false;
}

/** Only Debian's packages are known to be installable side by side. */
async function installMissing(): Promise<void> {
  for (const flavour of ["redis", "valkey"] as const) {
    if ((await problemWithServer(flavour)) === undefined) continue;
    const manager = await findPackageManager();
    if (manager?.name === "apt-get") await install(manager, flavour);
  }
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
if (process.argv.includes("--both") && process.exitCode === undefined) await installMissing();
