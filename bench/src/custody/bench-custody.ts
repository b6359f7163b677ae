import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { startRedisServer } from "@petak/redis/server";

import { freePort } from "@petak/testkit";
import { Redis } from "ioredis";
import { connectPostgres, installPostgres, type PostgresServer, startPostgres } from "../allocator/peers/postgres-server.ts";
import { median } from "../median.ts";
import { type PinnedServer, startPinned } from "../rpc/pinned-process.ts";
import { clientCounts, type Level, levels } from "./levels.ts";
import { type LifeFigure, subjects } from "./life-figure.ts";
import { type LifeRun, type PacedRun, storePidsVariable, workPidVariable } from "./lives.ts";
import { schema } from "./postgres-schema.ts";
import { type CustodyReport, type DeliveryFigure, writeCustodyReport } from "./report.ts";

/**
 * The core of the gateway or of the process that uses a store as a library; and the core of the store, with the load generator if the
 * gateway is measured.
 */
const workCore = 0;
const storeCore = 1;

/** Sites with an agent: one for each client, because an agent's reports are in order. */
const siteCount = Math.max(...clientCounts);

/** Clients at half load. */
const pacedClients = 64;

/** Reservations that are made to measure the memory of one. */
const stagedCount = 8000;

/**
 * PostgreSQL's equivalents: `off` loses as much as `everysec`, because commits are on disk a bounded time later; `on` waits as `always`
 * does.
 */
const synchronousCommit: Partial<Record<Level, "off" | "on">> = { everysec: "off", always: "on" };

/** The greatest output of a run, in bytes. */
const maxBuffer = 64 * 1024 * 1024;

/** Options of the bench. */
export interface CustodyBenchOptions {
  seconds: number;
  rounds: number;
  json: boolean;
  /** Prints the report without storing it. */
  isDry: boolean;
}

/** A store to measure, in a new folder. */
interface Store {
  /** The first processes of its servers. */
  pids: readonly number[];
  stop(): Promise<void>;
}

interface RedisStore extends Store {
  socketPath: string;
  flavour: string;
}

/**
 * Measures whole lives of reservations (reserved, confirmed, deposited, collected), with each event delivered to a listener. For each level
 * of durability, measures the gateway's calls and, below them, the records as a library compared with PostgreSQL as one.
 *
 * @throws {Error} if a response is wrong, an event is missing or was delivered twice, or a place is not free in the end
 */
export async function benchCustody({ seconds, rounds, json: printsJson, isDry }: CustodyBenchOptions): Promise<void> {
  const say = (line: string) => void (printsJson || process.stderr.write(`${line}\n`));
  const folder = await mkdtemp(join(tmpdir(), "petak-bench-"));
  const lives: LifeFigure[] = [];
  const deliveries: DeliveryFigure[] = [];
  let server = "";
  let postgres = "";
  const keep = (subject: LifeFigure["subject"], level: Level, run: LifeRun) => {
    const { clients, seconds: took, lives: count } = run;
    let figure = lives.find((each) => each.subject === subject && each.level === level && each.clients === clients);
    if (figure === undefined) {
      figure = { subject, level, clients, livesPerSecond: [], p50Ms: [], p99Ms: [], storeCpuMicros: [], workCpuMicros: [] };
      lives.push(figure);
    }
    figure.livesPerSecond.push(count / took);
    figure.p50Ms.push(run.p50Ms);
    figure.p99Ms.push(run.p99Ms);
    figure.storeCpuMicros.push((run.storeCpuSeconds * 1e6) / count);
    figure.workCpuMicros.push((run.workCpuSeconds * 1e6) / count);
    say(
      `${subjects[subject]}, ${level}, ${clients} clients: ${Math.round(count / took)} lives/s, p50 ${run.p50Ms.toFixed(1)} ms, p99 ${run.p99Ms.toFixed(1)} ms`,
    );
  };
  try {
    for (const level of levels) {
      await withGateway(join(folder, level), level, async ({ redis, gateway, factsPath }) => {
        server = redis.flavour;
        const watched = { [storePidsVariable]: redis.pids.join(" "), [workPidVariable]: String(gateway.pid) };
        for (let round = 0; round < rounds; round++) {
          for (const clients of clientCounts) {
            keep(
              "gateway",
              level,
              await run<LifeRun>(storeCore, "gateway-lives.ts", [factsPath, "run", String(clients), String(seconds)], watched),
            );
          }
        }
        const most = median(
          lives.find((each) => each.subject === "gateway" && each.level === level && each.clients === 16)?.livesPerSecond ?? [],
        );
        for (let round = 0; round < rounds; round++) {
          const paced = await run<PacedRun>(storeCore, "gateway-lives.ts", [
            factsPath,
            "paced",
            String(pacedClients),
            String(seconds),
            String(most / 2),
          ]);
          deliveries.push({ level, ...paced });
          say(
            `at half load, ${level}: events delivered after ${paced.deliveryP50Ms.toFixed(1)} ms, p99 ${paced.deliveryP99Ms.toFixed(1)} ms`,
          );
        }
      });
      const commit = synchronousCommit[level];
      if (commit === undefined) continue;
      const store = await startRedisStore(join(folder, `${level}-library`), level);
      const peer = await startPeer();
      postgres = peer?.version ?? "";
      if (peer === undefined) say(installPostgres);
      try {
        for (let round = 0; round < rounds; round++) {
          for (const clients of clientCounts) {
            const asked = [String(clients), String(seconds)];
            const ours = [store.socketPath, ...asked, `${round}-${clients}`];
            keep("records", level, await run(workCore, "records-lives.ts", ours, { [storePidsVariable]: store.pids.join(" ") }));
            if (peer === undefined) continue;
            const theirs = [peer.socketDir, ...asked, commit];
            keep("postgres", level, await run(workCore, "postgres-lives.ts", theirs, { [storePidsVariable]: String(peer.pid) }));
          }
        }
      } finally {
        await peer?.stop();
        await store.stop();
      }
    }
    const bytes = await measureStages(join(folder, "stages"));
    const report: CustodyReport = {
      commit: commitNow(),
      node: process.version,
      server,
      postgres,
      cpu: cpus()[0]?.model ?? "unknown",
      seconds,
      rounds,
      lives,
      deliveries,
      bytes,
    };
    await writeCustodyReport(report, { json: printsJson, isKept: !isDry });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Bytes of Redis for a reservation at each stage of its life, on a separate server: on a used server, its table of keys might double within
 * a stage.
 */
async function measureStages(dataDir: string): Promise<Record<string, number>> {
  return await withGateway(dataDir, "everysec", ({ redis, factsPath }) =>
    run(storeCore, "gateway-lives.ts", [factsPath, "stages", String(stagedCount), redis.socketPath]),
  );
}

/** Runs work with a gateway over a Redis of its own, and with a file of the facts for its callers. */
async function withGateway<Result>(
  dataDir: string,
  level: Level,
  use: (started: { redis: RedisStore; gateway: PinnedServer; factsPath: string }) => Promise<Result>,
): Promise<Result> {
  const redis = await startRedisStore(dataDir, level);
  try {
    const gateway = await startGatewayOn(redis, level);
    try {
      const factsPath = `${dataDir}.json`;
      await writeFile(factsPath, JSON.stringify(gateway.ready));
      return await use({ redis, gateway, factsPath });
    } finally {
      await gateway.stop();
    }
  } finally {
    await redis.stop();
  }
}

/** A Redis with a level's durability, with a replica if the level requires one. */
async function startRedisStore(dataDir: string, level: Level): Promise<RedisStore> {
  const isReplicated = level === "replicated";
  const port = isReplicated ? { port: await freePort() } : {};
  const main = await startRedisServer({ dataDir, appendfsync: level === "always" ? "always" : "everysec", ...port });
  const servers = [main];
  const redis = new Redis({ path: main.socketPath });
  try {
    // A rewrite of the append-only file during a run would be counted as a cost of lives.
    await redis.config("SET", "auto-aof-rewrite-percentage", "0");
    if (isReplicated) {
      const replica = await startRedisServer({ dataDir: `${dataDir}-replica` });
      servers.push(replica);
      const following = new Redis({ path: replica.socketPath });
      await redis.config("SET", "repl-diskless-sync-delay", "0");
      await following.replicaof("127.0.0.1", main.port ?? 0);
      while (!(await following.info("replication")).includes("master_link_status:up")) await pause(20);
      following.disconnect();
    }
  } finally {
    redis.disconnect();
  }
  for (const { pid } of servers) execFileSync("taskset", ["-acp", String(storeCore), String(pid)]);
  return {
    pids: servers.map(({ pid }) => pid),
    socketPath: main.socketPath,
    flavour: `${main.flavour} ${main.version}`,
    async stop() {
      for (const server of servers.toReversed()) await server.stop();
    },
  };
}

async function startGatewayOn({ socketPath }: RedisStore, level: Level): Promise<PinnedServer> {
  const replicas = level === "replicated" ? "1" : "0";
  return await startPinned(workCore, join(import.meta.dirname, "../servers/custody-gateway.ts"), [socketPath, String(siteCount), replicas]);
}

/** A PostgreSQL with empty tables; undefined if it is not installed. */
async function startPeer(): Promise<PostgresServer | undefined> {
  const peer = await startPostgres();
  if (peer === undefined) return undefined;
  // Its later processes inherit it.
  execFileSync("taskset", ["-acp", String(storeCore), String(peer.pid)]);
  const client = await connectPostgres(peer.socketDir);
  await client.query(schema);
  await client.end();
  return peer;
}

/** Runs a script of this folder on one core. Returns its parsed output. */
async function run<Result>(core: number, script: string, args: readonly string[], env: Record<string, string> = {}): Promise<Result> {
  const command = ["-c", String(core), process.execPath, join(import.meta.dirname, script), ...args];
  const { stdout } = await promisify(execFile)("taskset", command, { maxBuffer, env: { ...process.env, ...env } });
  return JSON.parse(stdout) as Result;
}

function commitNow(): string {
  const head = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const isDirty = execFileSync("git", ["status", "--porcelain", "--", "packages", "bench/src"], { encoding: "utf8" }) !== "";
  return isDirty ? `${head} with changes` : head;
}
