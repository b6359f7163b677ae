import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { RedisServerError } from "./redis-server-error.ts";

/** The two servers that Petak runs on. */
export type RedisFlavour = "redis" | "valkey";

/** An installed server program and its version. */
export interface RedisServerProgram {
  /** Absolute path of the program. */
  path: string;
  /** Taken from its version output, not from its file name: some systems install Valkey under both names. */
  flavour: RedisFlavour;
  /** Its version, e.g. `8.0.2`. */
  version: string;
}

/** Oldest supported versions: WAITAOF and the script flags in use came with Redis 7.2; Valkey is supported from version 8. */
export const minimumVersions: Readonly<Record<RedisFlavour, readonly [major: number, minor: number]>> = {
  redis: [7, 2],
  valkey: [8, 0],
};

const programNames: Readonly<Record<RedisFlavour, string>> = { redis: "redis-server", valkey: "valkey-server" };

/** Matches the output of `--version`: `Redis server v=8.0.2 sha=…`, `Valkey server v=8.1.1 sha=…`. */
const versionPattern = /^(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)/m;

const run = promisify(execFile);

/**
 * Finds the first supported server program on the path, Redis before Valkey.
 *
 * @param options.flavour Accept only this server. Default: either. @param options.searchPath Directories to search, in the syntax of
 * `PATH`. Default: `PATH`. @throws RedisServerError `NOT_FOUND`; `TOO_OLD` if every program found is too old.
 */
export async function findRedisServer(options: { flavour?: RedisFlavour; searchPath?: string } = {}): Promise<RedisServerProgram> {
  const flavours: RedisFlavour[] = options.flavour === undefined ? ["redis", "valkey"] : [options.flavour];
  const directories = (options.searchPath ?? process.env.PATH ?? "").split(delimiter).filter((entry) => entry !== "");
  const tooOld: RedisServerProgram[] = [];
  for (const name of flavours.map((flavour) => programNames[flavour])) {
    for (const directory of directories) {
      const program = await askVersion(join(directory, name));
      if (program === undefined || !flavours.includes(program.flavour)) continue;
      if (isNewEnough(program)) return program;
      tooOld.push(program);
    }
  }
  const wanted = flavours.map((flavour) => `${programNames[flavour]} ${minimumVersions[flavour].join(".")} or newer`).join(", or ");
  const [old] = tooOld;
  if (old !== undefined) {
    throw new RedisServerError(
      "TOO_OLD",
      `${old.path} is version ${old.version}; Petak needs ${wanted}. Install it and put it on the PATH.`,
    );
  }
  throw new RedisServerError("NOT_FOUND", `No Redis or Valkey server found: Petak needs ${wanted}. Install one and put it on the PATH.`);
}

async function askVersion(path: string): Promise<RedisServerProgram | undefined> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await run(path, ["--version"], { timeout: 5_000 });
    const match = versionPattern.exec(stdout);
    if (match === null) return undefined;
    const [, name, major, minor, patch] = match;
    return { path, flavour: name === "Valkey" ? "valkey" : "redis", version: `${major}.${minor}.${patch}` };
  } catch {
    // Missing, not executable, or failing when run: not a usable server, so the search continues.
    return undefined;
  }
}

function isNewEnough({ flavour, version }: RedisServerProgram): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = minimumVersions[flavour];
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
