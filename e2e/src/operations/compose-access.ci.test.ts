import { execFile } from "node:child_process";
import { appendFile, chmod, glob, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { runPetak } from "@petak/cli/testing/run-petak";
import { connectRedis } from "@petak/redis";
import { createTempDir, type TempDir } from "@petak/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type StartedPetak, startPetak } from "../testing/petak-process.ts";
import { type RedisProcess, startRedis } from "../testing/redis-process.ts";

/** The Redis of docker-compose.yml with its users, and a gateway that has the password only. */

const root = join(import.meta.dirname, "../../..");
const script = join(root, "deploy/compose/make-access.sh");
const execute = promisify(execFile);

let folder: TempDir;
let server: RedisProcess;
let gateway: StartedPetak;
let inspector: ReturnType<typeof connectRedis>;
const connections: ReturnType<typeof connectRedis>[] = [];

async function connect(userinfo: string) {
  const redis = connectRedis({ url: `redis://${userinfo}127.0.0.1:${server.port}` }, { onError: () => {} });
  connections.push(redis);
  // It goes on until the server is there.
  const ready = new Promise<void>((resolve) => redis.once("ready", () => resolve()));
  redis.connect().catch(() => {});
  await ready;
  return redis;
}

async function gatewayUrl(): Promise<string> {
  const { redisUrl } = JSON.parse(await readFile(join(folder.path, "gateway.json"), "utf8")) as { redisUrl: string };
  return redisUrl;
}

async function restartRedis(): Promise<void> {
  const users = join(folder.path, "users.acl");
  server = await startRedis((port) => [
    ...["--port", `${port}`, "--dir", folder.path, "--aclfile", users],
    ...["--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"],
  ]);
  inspector = await connect("inspector:-@");
}

beforeAll(async () => {
  folder = await createTempDir();
  await execute("sh", [script, folder.path, folder.path]);
  await chmod(join(folder.path, "users.acl"), 0o600);
  await appendFile(join(folder.path, "users.acl"), "user inspector on nopass ~* &* +@all\n");
  await restartRedis();
  const config = (await gatewayUrl()).replace("@redis:6379", `@127.0.0.1:${server.port}`);
  await writeFile(join(folder.path, "test.json"), JSON.stringify({ redisUrl: config, durabilityCheck: "warn" }));
  const start = ["start", "--port", "0", "--demo-sites", "300", "--config", "test.json"];
  gateway = await startPetak(folder.path, start, /Stop with Ctrl-C/);
});
afterAll(async () => {
  await gateway?.interrupt();
  for (const connection of connections) connection.disconnect();
  await server?.kill();
  await folder.remove();
});

it("makes another password each time, and keeps the one that was made", async () => {
  const before = await gatewayUrl();
  await execute("sh", [script, folder.path, folder.path]);
  expect(await gatewayUrl()).toBe(before);
  await using other = await createTempDir();
  await execute("sh", [script, other.path, other.path]);
  const password = /^redis:\/\/petak:([0-9a-f]{64})@redis:6379$/;
  const made = JSON.parse(await readFile(join(other.path, "gateway.json"), "utf8")) as { redisUrl: string };
  expect(made.redisUrl).toMatch(password);
  expect(made.redisUrl).not.toBe(before);
  expect(await readFile(join(other.path, "users.acl"), "utf8")).not.toContain(password.exec(made.redisUrl)?.[1]);
  expect((await stat(join(other.path, "users.acl"))).mode & 0o777).toBe(0o444);
  // The gateway's volume is lost, and Redis' is not.
  const acl = await readFile(join(other.path, "users.acl"), "utf8");
  await rm(join(other.path, "gateway.json"));
  await execute("sh", [script, other.path, other.path]);
  expect(await readFile(join(other.path, "users.acl"), "utf8")).not.toBe(acl);
  expect(await readFile(join(other.path, "gateway.json"), "utf8")).toMatch(/petak:[0-9a-f]{64}@/);
});

it("takes a parcel through a locker and a store, and nothing that the gateway does is refused by Redis", async () => {
  const url = /running at (\S+)/.exec(gateway.said())?.[1] ?? "";
  for (const site of ["terminal", "store"]) {
    const journey = await runPetak(["--url", url, "journey", "--site", site], { cwd: folder.path });
    expect(journey).toMatchObject({ exitCode: 0 });
  }
  expect(await inspector.call("ACL", "LOG")).toEqual([]);
});

it("permits each command that is in the scripts of the records", async () => {
  const commands = new Set<string>();
  for await (const file of glob("packages/*/src/**/*.lua", { cwd: root })) {
    const text = await readFile(join(root, file), "utf8");
    for (const [, command = ""] of text.matchAll(/redis\.p?call\(\s*["'](\w+)["']/g)) commands.add(command);
  }
  expect(commands.size).toBeGreaterThan(30);
  for (const command of commands) {
    // Without arguments the answer is about their number, if the command is permitted.
    const answer = await inspector.call("ACL", "DRYRUN", "petak", command).catch(({ message }: Error) => message);
    expect([command, answer]).toEqual([command, expect.not.stringContaining("permission")]);
  }
});

it("permits what the runbook asks Redis by the gateway's user", async () => {
  const runbook = await readFile(join(root, "docs/runbook.md"), "utf8");
  const commands = new Set([...runbook.matchAll(/\brcli ([A-Z]+(?: [A-Za-z]+)*)/g)].map(([, command = ""]) => command));
  expect(commands.size).toBeGreaterThan(4);
  for (const command of commands) {
    expect([command, await inspector.call("ACL", "DRYRUN", "petak", ...command.split(" "))]).toEqual([command, "OK"]);
  }
});

it("gives the gateway's user no rights over the server or over other keys, and nobody else any", async () => {
  const petak = await connect((await gatewayUrl()).replace(/^redis:\/\/|redis:6379$/g, ""));
  const refused = [
    "FLUSHALL",
    "CONFIG SET maxmemory 0",
    "KEYS *",
    "ACL LIST",
    "SHUTDOWN",
    "REPLICAOF NO ONE",
    "FUNCTION LIST",
    "GET other:key",
  ];
  for (const line of refused) {
    const [command = "", ...args] = line.split(" ");
    await expect(petak.call(command, ...args), line).rejects.toThrow("NOPERM");
  }
  await expect(petak.call("SPUBLISH", "other", "x")).rejects.toThrow("NOPERM");
  expect(await petak.call("SET", "petak:test", "x")).toBe("OK");
  const health = await inspector.call("ACL", "DRYRUN", "health", "GET", "petak:test");
  expect(health).toMatch(/no permissions/);
  expect(await inspector.call("ACL", "DRYRUN", "health", "PING")).toBe("OK");
  expect(await inspector.call("ACL", "GETUSER", "default")).toEqual(expect.arrayContaining([expect.arrayContaining(["off"])]));
});

it("has all that scripts wrote when Redis has read its log back", async () => {
  await gateway.interrupt();
  const before = (await inspector.keys("*")).sort();
  expect(before.length).toBeGreaterThan(1000);
  await server.kill();
  await restartRedis();
  expect((await inspector.keys("*")).sort()).toEqual(before);
});
