import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { startRedisServer } from "@petak/redis/server";
import { type PinnedServer, startPinned } from "../rpc/pinned-process.ts";
import { type Turn, writeFairnessReport } from "./report.ts";
import { type FairnessFacts, type OthersResult, type TrafficKind, type TrafficResult, trafficKinds } from "./traffic-kinds.ts";

/** Cores of the gateway, and of everything else. */
const [serverCore, otherCore] = [0, 1];

/** What the bench is asked to do. */
export interface FairnessBenchOptions {
  /** How long the others are measured in each turn. */
  seconds: number;
  /** How often everything is measured. */
  rounds: number;
  json: boolean;
  /** Prints the report and keeps nothing. */
  isDry: boolean;
  /** Measures one kind of traffic, and keeps nothing. */
  only?: string | undefined;
}

/** Measures what others find beside a hostile participant, and beside harmless clients of equal traffic, by turns. */
export async function benchFairness({ seconds, rounds, json, isDry, only }: FairnessBenchOptions): Promise<void> {
  const say = (line: string) => void (json || process.stderr.write(`${line}\n`));
  const kinds = (Object.keys(trafficKinds) as TrafficKind[]).filter((kind) => only === undefined || kind === only);
  if (kinds.length === 0) throw new Error(`no kind of traffic is called ${only}: ${Object.keys(trafficKinds).join(", ")}`);
  const turns: Turn[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of kinds) {
      // A fresh gateway for each, since a token is valid for ten minutes only.
      const [hostile, harmless] = await inFreshCity((gateway) => bothTurns(gateway, kind, seconds));
      turns.push(hostile, harmless);
      const shown = ({ others: { reserve, find } }: Turn) =>
        `Reserve ${reserve.p50Ms.toFixed(1)} ms, FindNearest ${find.p50Ms.toFixed(1)} ms`;
      say(`round ${round + 1} of ${rounds}, ${trafficKinds[kind]}: ${shown(hostile)}; harmless: ${shown(harmless)}`);
    }
  }
  const report = { commit: commitNow(), node: process.version, cpu: cpus()[0]?.model ?? "unknown", seconds, rounds, turns };
  await writeFairnessReport(report, { json, isKept: !isDry && only === undefined });
}

async function bothTurns(gateway: PinnedServer, kind: TrafficKind, seconds: number): Promise<[hostile: Turn, harmless: Turn]> {
  const facts = gateway.ready as unknown as FairnessFacts;
  // Both before anything is counted, in which Node compiles what is hot.
  await measureOthers(facts, 1);
  const hostile = await takeTurn(facts, kind, "hostile", 0, seconds);
  const harmless = await takeTurn(facts, kind, "harmless", kind === "prefaces" ? 0 : hostile.requestsPerSecond, seconds);
  return [hostile, harmless];
}

async function takeTurn(
  facts: FairnessFacts,
  kind: TrafficKind,
  beside: Turn["beside"],
  requestsPerSecond: number,
  seconds: number,
): Promise<Turn> {
  const traffic = await startTraffic(facts, [kind, beside, String(requestsPerSecond)]);
  const others = await measureOthers(facts, seconds);
  const result = await traffic.stop();
  return { kind, beside, requestsPerSecond: result.requestsPerSecond, others };
}

/** Starts a script of this folder on the core of everything else, with the facts by its stdin. */
function startScript(name: string, args: readonly string[], facts: FairnessFacts): ChildProcess {
  const script = join(import.meta.dirname, name);
  const child = spawn("taskset", ["-c", String(otherCore), process.execPath, script, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin?.end(JSON.stringify(facts));
  return child;
}

async function measureOthers(facts: FairnessFacts, seconds: number): Promise<OthersResult> {
  const child = startScript("others.ts", [String(seconds)], facts);
  if (child.stdout === null) throw new Error("others.ts has no output");
  return JSON.parse(await text(child.stdout)) as OthersResult;
}

/** The longest wait until all connections have been used, in ms: a gateway that lets nobody in is measured too. */
const readyMaxMs = 10_000;

async function startTraffic(facts: FairnessFacts, args: readonly string[]): Promise<{ stop(): Promise<TrafficResult> }> {
  const child = startScript("traffic.ts", args, facts);
  if (child.stdout === null) throw new Error("traffic.ts has no output");
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => void lines.push(line));
  const ended = once(reader, "close");
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    once(reader, "line"),
    new Promise((resolve) => {
      timer = setTimeout(resolve, readyMaxMs);
    }),
  ]);
  clearTimeout(timer);
  return {
    async stop() {
      child.kill("SIGTERM");
      await ended;
      return JSON.parse(lines.at(-1) ?? "") as TrafficResult;
    },
  };
}

async function inFreshCity<Result>(work: (gateway: PinnedServer) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "petak-bench-"));
  const redis = await startRedisServer({ dataDir: folder });
  const gateway = await startPinned(serverCore, join(import.meta.dirname, "../servers/fairness-gateway.ts"), [redis.socketPath]);
  try {
    return await work(gateway);
  } finally {
    await gateway.stop();
    await redis.stop();
    await rm(folder, { recursive: true });
  }
}

function commitNow(): string {
  const head = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const isDirty = execFileSync("git", ["status", "--porcelain", "--", "packages", "bench/src"], { encoding: "utf8" }) !== "";
  return isDirty ? `${head} with changes` : head;
}
