import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { RedisServerError } from "./redis-server-error.ts";

/** The two servers that Petak runs on. */
export type RedisFlavour = "redis" | "valkey";

/** A server program, found and asked for its version. */
export interface RedisServerProgram {
  /** Absolute path of the program. */
  path: string;
  /** What it says it is, whatever its file is called: some systems install Valkey under both names. */
  flavour: RedisFlavour;
  /** Its version, e.g. `8.0.2`. */
  version: string;
}

/** The oldest versions that will do: WAITAOF and script flags as the allocator uses them came with Redis 7.2; Valkey is supported from 8. */
export const oldestVersions: Readonly<Record<RedisFlavour, readonly [major: number, minor: number]>> = {
  redis: [7, 2],
  valkey: [8, 0],
};

const programNames: Readonly<Record<RedisFlavour, string>> = { redis: "redis-server", valkey: "valkey-server" };

/** What `--version` prints: `Redis server v=8.0.2 sha=…`, `Valkey server v=8.1.1 sha=…`. */
const versionPattern = /^(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)/m;

const run = promisify(execFile);

/**
 * The first server program on the path that is new enough: Redis if both are there.
 *
 * @param options.flavour only this one will do; either, if left out
 * @param options.searchPath where to look, written as in `PATH`; `PATH` itself, if left out
 * @throws RedisServerError `NOT_FOUND`; `TOO_OLD` where there is one, and all of them are too old
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
  const wanted = flavours.map((flavour) => `${programNames[flavour]} ${oldestVersions[flavour].join(".")} or newer`).join(", or ");
  const [old] = tooOld;
  if (old !== undefined) {
    throw new RedisServerError(
      "TOO_OLD",
      `${old.path} is version ${old.version}; Petak needs ${wanted}. Install it and put it on the PATH.`,
    );
  }
  throw new RedisServerError("NOT_FOUND", `No server to keep data in: Petak needs ${wanted}. Install one and put it on the PATH.`);
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
    // Not there, not executable, or a program that fails when asked: no server for us, so the search goes on.
    return undefined;
  }
}

function isNewEnough({ flavour, version }: RedisServerProgram): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = oldestVersions[flavour];
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
