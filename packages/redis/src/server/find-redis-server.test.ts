import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findRedisServer } from "./find-redis-server.ts";

let dir = "";

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "petak-find-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

/** Installs a program that reports a server version. */
async function install(name: string, versionLine: string): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, `#!/bin/sh\necho '${versionLine}'\n`);
  await chmod(path, 0o755);
  return path;
}

test("the server on the PATH is found with its version", async () => {
  const program = await findRedisServer();
  expect(program.path).toMatch(/^\/.*-server$/);
  expect(program.version).toMatch(/^\d+\.\d+\.\d+$/);
});

test("Redis is preferred to Valkey, unless a flavour is requested", async () => {
  const redis = await install("redis-server", "Redis server v=7.2.0 sha=00000000:0 malloc=libc bits=64 build=0");
  const valkey = await install("valkey-server", "Valkey server v=8.0.1 sha=00000000:0 malloc=libc bits=64 build=0");
  expect(await findRedisServer({ searchPath: dir })).toEqual({ path: redis, flavour: "redis", version: "7.2.0" });
  expect(await findRedisServer({ searchPath: dir, flavour: "valkey" })).toEqual({ path: valkey, flavour: "valkey", version: "8.0.1" });
});

test("the flavour comes from the version output, not from the file name", async () => {
  const path = await install("redis-server", "Valkey server v=8.1.0 sha=00000000:0 malloc=libc bits=64 build=0");
  expect(await findRedisServer({ searchPath: dir })).toEqual({ path, flavour: "valkey", version: "8.1.0" });
  await expect(findRedisServer({ searchPath: dir, flavour: "redis" })).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test.each([
  ["redis-server", "Redis server v=7.0.15 sha=0", "7.0.15"],
  ["redis-server", "Redis server v=6.2.99 sha=0", "6.2.99"],
  ["valkey-server", "Valkey server v=7.2.8 sha=0", "7.2.8"],
])("%s reporting %s is too old, and the message names the supported versions", async (name, versionLine, version) => {
  const path = await install(name, versionLine);
  await expect(findRedisServer({ searchPath: dir })).rejects.toMatchObject({
    code: "TOO_OLD",
    message: `${path} is version ${version}; Petak needs redis-server 7.2 or newer, or valkey-server 8.0 or newer. Install it and put it on the PATH.`,
  });
});

test("an old server does not hide a newer one further along the path", async () => {
  await install("redis-server", "Redis server v=6.0.16 sha=0");
  const program = await findRedisServer({ searchPath: `${dir}${delimiter}${process.env.PATH}` });
  expect(program.version).not.toBe("6.0.16");
});

test("a program that is not a server is skipped", async () => {
  await install("redis-server", "hello");
  await writeFile(join(dir, "valkey-server"), "not executable");
  await expect(findRedisServer({ searchPath: `${delimiter}${dir}` })).rejects.toMatchObject({ code: "NOT_FOUND" });
});
