import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findRedisServer, type RedisFlavour } from "./find-redis-server.ts";
import { type RedisServer, type StartRedisServerOptions, startRedisServer } from "./start-redis-server.ts";

let dir = "";
let started: RedisServer[] = [];
let clients: Redis[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "petak-server-"));
});

afterEach(async () => {
  for (const client of clients) client.disconnect();
  await Promise.all(started.map((server) => server.stop()));
  [clients, started] = [[], []];
  await rm(dir, { recursive: true });
});

async function start(options: Partial<StartRedisServerOptions> = {}): Promise<RedisServer> {
  const server = await startRedisServer({ dataDir: join(dir, "data"), ...options });
  started.push(server);
  return server;
}

function client(server: RedisServer): Redis {
  const redis = new Redis({ path: server.socketPath, retryStrategy: null });
  redis.on("error", () => {});
  clients.push(redis);
  return redis;
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  listener.close();
  return port;
}

/** Resolves when the peer has closed the connection. */
async function gone(connection: Socket): Promise<void> {
  connection.on("error", () => {});
  connection.resume();
  if (!connection.closed) await once(connection, "close");
}

const flavours: RedisFlavour[] = ["redis", "valkey"];
const isInstalled = await Promise.all(
  flavours.map((flavour) =>
    findRedisServer({ flavour }).then(
      () => true,
      () => false,
    ),
  ),
);

describe.each(flavours.filter((_, index) => isInstalled[index]))("a private server (%s)", (flavour) => {
  test("listens on a socket that only its user can open, and on no port", async () => {
    const server = await start({ flavour });
    expect(server.flavour).toBe(flavour);
    expect(await modeOf(server.socketPath)).toBe(0o600);
    expect(await modeOf(join(dir, "data"))).toBe(0o700);
    expect(server.port).toBeUndefined();
    expect(await client(server).config("GET", "port")).toEqual(["port", "0"]);
  });

  test("keeps an append-only file and never evicts", async () => {
    const redis = client(await start({ flavour, appendfsync: "always" }));
    const settings = await redis.config("GET", "appendonly", "appendfsync", "save", "maxmemory-policy");
    expect(Object.fromEntries(pairs(settings))).toEqual({
      appendonly: "yes",
      appendfsync: "always",
      save: "",
      "maxmemory-policy": "noeviction",
    });
  });

  test("has its data again after a stop", async () => {
    const first = await start({ flavour });
    await client(first).set("parcel", "held");
    await first.stop();
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(await client(await start({ flavour })).get("parcel")).toBe("held");
  });

  test("has its data again after it was killed", async () => {
    const first = await start({ flavour, appendfsync: "always" });
    await client(first).set("parcel", "held");
    process.kill(first.pid, "SIGKILL");
    expect(await first.exited).toEqual({ code: null, signal: "SIGKILL" });
    expect(await client(await start({ flavour })).get("parcel")).toBe("held");
  });

  test("has its data again when the crash truncated the append-only file", async () => {
    const first = await start({ flavour });
    await client(first).set("parcel", "held");
    await first.stop();
    const logDir = join(dir, "data/appendonlydir");
    const [, logName = ""] = /^file (\S+\.incr\.aof)/m.exec(await readFile(join(logDir, "appendonly.aof.manifest"), "utf8")) ?? [];
    await writeFile(join(logDir, logName), "*3\r\n$3\r\nSET\r\n$6\r\npar", { flag: "a" });
    expect(await client(await start({ flavour })).get("parcel")).toBe("held");
  });

  test("never executes half of a script that a crash truncated, however often it is restarted", async () => {
    const writeBoth = (server: RedisServer, one: string, two: string) =>
      client(server).eval("redis.call('SET', KEYS[1], '1') redis.call('SET', KEYS[2], '2')", 2, one, two);
    const crash = async (server: RedisServer) => {
      process.kill(server.pid, "SIGKILL");
      await server.exited;
    };
    const log = join(dir, "data/appendonlydir/appendonly.aof.1.incr.aof");
    const first = await start({ flavour });
    const { size: before } = await client(first)
      .set("before", "1")
      .then(() => stat(log));
    await writeBoth(first, "one", "two");
    await crash(first);
    const { size } = await stat(log);
    const content = await readFile(log);
    // Cuts within MULTI, within each of the two commands, and within EXEC.
    for (const cut of [0.1, 0.3, 0.6, 0.8, 0.98].map((share) => before + Math.floor((size - before) * share))) {
      await rm(join(dir, "data/appendonlydir"), { recursive: true });
      const untouched = await start({ flavour });
      await crash(untouched);
      await writeFile(log, content.subarray(0, cut));
      const second = await start({ flavour });
      await writeBoth(second, "three", "four");
      await crash(second);
      const third = await start({ flavour });
      expect([cut, await client(third).mget("before", "one", "two", "three", "four")]).toEqual([cut, ["1", null, null, "1", "2"]]);
      await crash(third);
    }
  });

  test("listens on 127.0.0.1 if a port is given", async () => {
    const port = await freePort();
    const server = await start({ flavour, port });
    expect(server.port).toBe(port);
    const redis = new Redis({ host: "127.0.0.1", port });
    clients.push(redis);
    expect(await redis.ping()).toBe("PONG");
  });
});

describe("a data directory", () => {
  test("has one server at a time, also under another name", async () => {
    await start();
    await symlink(join(dir, "data"), join(dir, "alias"));
    for (const name of ["data", "alias"]) {
      await expect(start({ dataDir: join(dir, name) })).rejects.toMatchObject({
        code: "DATA_DIR_IN_USE",
        message: `The data directory ${join(dir, "data")} is in use by process ${process.pid}. Stop it first, or choose another data directory.`,
      });
    }
  });

  test("gets one server from ten concurrent starts", async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => start()));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "DATA_DIR_IN_USE" });
    }
  });

  test("is made inaccessible to other users even if it was open", async () => {
    await mkdir(join(dir, "data"));
    await chmod(join(dir, "data"), 0o777);
    await start();
    expect(await modeOf(join(dir, "data"))).toBe(0o700);
  });

  test("may have a long or unusual name", async () => {
    for (const name of ['a "quoted" name with \\ and 柜', `${"long".repeat(30)}`]) {
      const server = await start({ dataDir: join(dir, name) });
      await client(server).set("parcel", "held");
      await server.stop();
      expect(await client(await start({ dataDir: join(dir, name) })).get("parcel")).toBe("held");
    }
  });

  test("with a pid file that names an unrelated process starts, and leaves that process alone", async () => {
    const bystander = spawn("sleep", ["60"]);
    await mkdir(join(dir, "data"));
    for (const content of [JSON.stringify({ serverPid: bystander.pid, ownerPid: process.pid }), "not json", '{"serverPid":0}']) {
      await writeFile(join(dir, "data/server.pid.json"), content);
      const server = await start();
      expect(await client(server).ping()).toBe("PONG");
      await server.stop();
    }
    expect(bystander.exitCode).toBeNull();
    expect(bystander.signalCode).toBeNull();
    bystander.kill();
  });

  test("with an orphaned server gets a new server with the same data", async () => {
    const first = await start();
    await first.stop();
    const { path } = await findRedisServer();
    const leftOver = spawn(path, [join(first.socketPath, "../server.conf")], { stdio: ["ignore", "pipe", "ignore"] });
    await lineMatching(leftOver, /Ready to accept connections/);
    await client(first).set("parcel", "held");
    await writeFile(join(dir, "data/server.pid.json"), JSON.stringify({ serverPid: leftOver.pid, ownerPid: 99_999_999 }));
    const ended = once(leftOver, "exit");
    const second = await start();
    await ended;
    expect(second.pid).not.toBe(leftOver.pid);
    expect(await client(second).get("parcel")).toBe("held");
  });
});

describe("a server", () => {
  test("ends when the process that started it is killed", async () => {
    const script = `
      import { startRedisServer } from ${JSON.stringify(new URL("./start-redis-server.ts", import.meta.url).href)};
      console.log((await startRedisServer({ dataDir: process.argv[1] })).socketPath);
    `;
    const parent = spawn(process.execPath, ["--input-type=module-typescript", "--eval", script, join(dir, "data")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const socketPath = await lineMatching(parent, /server\.sock$/);
    const connection = connect(socketPath);
    await once(connection, "connect");
    parent.kill("SIGKILL");
    await gone(connection);
    await start();
  });

  test.runIf(process.platform === "linux")("is not reached by a Ctrl-C meant for the process that started it", async () => {
    const server = await start();
    expect(await processGroup(server.pid)).not.toBe(await processGroup(process.pid));
  });

  test("may be stopped twice, and after it has ended by itself", async () => {
    const server = await start();
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
  });

  test("that cannot start reports why, and releases the directory", async () => {
    const logDir = join(dir, "data/appendonlydir");
    await mkdir(logDir, { recursive: true });
    await writeFile(join(logDir, "appendonly.aof.manifest"), "nonsense\n");
    await expect(start()).rejects.toMatchObject({
      code: "START_FAILED",
      message: expect.stringMatching(/ended during its start \(exit code 1\)\. The end of its log:\n(.*\n)*.*manifest/),
    });
    await rm(logDir, { recursive: true });
    await start();
  });

  test("that finds its port in use reports it", async () => {
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as { port: number };
    await expect(start({ port })).rejects.toMatchObject({ code: "START_FAILED", message: expect.stringContaining(String(port)) });
    listener.close();
  });

  test("that does not answer in time is killed", async () => {
    await writeFile(
      join(dir, "redis-server"),
      `#!/bin/sh
      [ "$1" = --version ] && echo 'Redis server v=8.0.0 ' && exit
      trap '' TERM
      while :; do sleep 0.05; done
      `,
    );
    await chmod(join(dir, "redis-server"), 0o755);
    const attempt = start({ searchPath: `${dir}:/usr/bin:/bin`, startTimeoutMs: 50, stopTimeoutMs: 50 });
    await expect(attempt).rejects.toMatchObject({ code: "START_TIMED_OUT", message: expect.stringContaining("within 50 ms") });
    await start();
  });

  test("starts under a locale that is not installed", async () => {
    const before = process.env.LC_ALL;
    process.env.LC_ALL = "xx_XX.UTF-8";
    try {
      await start();
    } finally {
      if (before === undefined) delete process.env.LC_ALL;
      else process.env.LC_ALL = before;
    }
  });

  test("can be aborted while it starts", async () => {
    await expect(start({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
    await start();
  });

  test("passes its log lines on", async () => {
    const lines: string[] = [];
    await start({ onLog: (line) => lines.push(line) });
    expect(lines.join("\n")).toContain("Ready to accept connections");
  });
});

function pairs(flat: unknown): [string, string][] {
  const list = flat as string[];
  return list.flatMap((key, index) => (index % 2 === 0 ? [[key, list[index + 1] ?? ""] as [string, string]] : []));
}

/** The process group, which receives a terminal's Ctrl-C: the third field after the name in `/proc/PID/stat`. */
async function processGroup(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")")).split(" ")[3];
}

async function lineMatching(child: ChildProcess, pattern: RegExp): Promise<string> {
  if (child.stdout !== null) {
    for await (const line of createInterface({ input: child.stdout })) if (pattern.test(line)) return line;
  }
  throw new Error(`The process ended without a line matching ${pattern}.`);
}
