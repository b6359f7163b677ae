import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startRedisServer } from "@petak/redis/server";
import { createRandom } from "@petak/testkit";
import { type PinnedServer, startPinned } from "../rpc/pinned-process.ts";
import { type Comparison, comparisonsOf, type Present } from "./comparisons.ts";
import { type RentFigure, type RentReport, type Work, workNames, writeRentReport } from "./report.ts";
import { type Pair, type Share, savedShare } from "./shares.ts";
import { environmentWith, specialPaths } from "./special-paths.ts";
import { livesOf, searchesOf, type Workload } from "./workloads.ts";

/** Core of the gateways. Whatever else there is finds its own. */
const serverCore = 0;

/** Sites in the city that is searched, and sites with an agent, one for each client that lives lives. */
const citySites = 10_000;
const lifeSites = 16;

/** What each gateway does before anything is counted, in which Node compiles what is hot, and in a turn. */
const amounts = { search: { warmUp: 16_000, turn: 400 }, life: { warmUp: 1200, turn: 40 } } as const;

/** How often the two gateways of a pair take their turns in a sitting. */
const pairsOfSitting = 20;

const servers = join(import.meta.dirname, "../servers");

/** What the bench is asked to do. */
export interface RentBenchOptions {
  /** How many sittings each comparison has, each with two fresh gateways. */
  rounds: number;
  json: boolean;
  /** Prints the report and keeps nothing. */
  isDry: boolean;
  /** Measures one path, and keeps nothing. */
  only?: string | undefined;
}

/** Measures what each special path saves of the processor time of a call, alone and beside the others. */
export async function benchRent({ rounds, json, isDry, only }: RentBenchOptions): Promise<void> {
  const say = (line: string) => void (json || process.stderr.write(`${line}\n`));
  const comparisons = comparisonsOf(specialPaths).filter(({ path }) => only === undefined || path === only);
  if (comparisons.length === 0) throw new Error(`no special path is called ${only}: ${specialPaths.map(({ name }) => name).join(", ")}`);
  const works = Object.keys(workNames) as Work[];
  const found = works.flatMap((work) => comparisons.map((comparison) => ({ work, comparison, sittings: [] as Pair[][] })));
  const folder = await mkdtemp(join(tmpdir(), "petak-bench-"));
  const city = await startCity(folder);
  try {
    for (let round = 0; round < rounds; round++) {
      for (const { work, comparison, sittings } of found) {
        sittings.push(await sit(work, comparison, city, round));
        const { path, beside } = comparison;
        say(`round ${round + 1} of ${rounds}: ${workNames[work]}, ${path} beside ${beside}: ${shown(shareOf(sittings))}`);
      }
    }
  } finally {
    await city.stop();
    await rm(folder, { recursive: true });
  }
  const figures = found.map(
    ({ work, comparison: { path, beside }, sittings }): RentFigure => ({ work, path, beside, ...shareOf(sittings) }),
  );
  const report: RentReport = {
    commit: commitNow(),
    node: process.version,
    cpu: cpus()[0]?.model ?? "unknown",
    rounds,
    pairsOfSitting,
    turns: { search: amounts.search.turn, life: amounts.life.turn },
    figures,
  };
  await writeRentReport(report, { json, isKept: !isDry && only === undefined });
}

function shareOf(sittings: readonly (readonly Pair[])[]): Share {
  return savedShare(sittings, createRandom(1));
}

function shown({ share, low, high, withoutMicros, withMicros }: Share): string {
  const percent = (value: number) => (value * 100).toFixed(1);
  return `${percent(share)} % (${percent(low)} to ${percent(high)}), ${withoutMicros.toFixed(1)} to ${withMicros.toFixed(1)} µs`;
}

/** The store of the city that is searched. Searches change nothing: one does for all gateways, which share secrets. */
interface City {
  socketPath: string;
  secretsDir: string;
  stop(): Promise<void>;
}

async function startCity(folder: string): Promise<City> {
  const redis = await startRedisServer({ dataDir: join(folder, "city") });
  const secretsDir = join(folder, "secrets");
  const first = await startPinned(serverCore, join(servers, "gateway.ts"), [redis.socketPath, String(citySites), secretsDir]);
  await first.stop();
  return { socketPath: redis.socketPath, secretsDir, stop: () => redis.stop() };
}

/**
 * Starts the two gateways of a comparison, and lets them do their work by turns. What the machine does beside comes and goes within seconds, so turns are
 * short and follow one another: without, with, with, without. Both have done as much as the other at any time, since V8 compiles what is done often.
 */
async function sit(work: Work, comparison: Comparison, city: City, seed: number): Promise<Pair[]> {
  const without = await startWork(work, comparison.without, city, seed);
  const withPath = await startWork(work, comparison.with, city, seed);
  try {
    const { warmUp, turn } = amounts[work];
    const pair = async (): Promise<Pair> => {
      const [first, second] = [await patiently(() => without.work(turn)), await patiently(() => withPath.work(turn))];
      const [third, fourth] = [await patiently(() => withPath.work(turn)), await patiently(() => without.work(turn))];
      return { without: (first + fourth) / 2, with: (second + third) / 2 };
    };
    for (let done = 0; done < warmUp; done += 2 * turn) await pair();
    const pairs: Pair[] = [];
    for (let count = 0; count < pairsOfSitting; count++) pairs.push(await pair());
    return pairs;
  } finally {
    await without.stop();
    await withPath.stop();
  }
}

/** A gateway with some of the special paths, and its work. */
async function startWork(work: Work, present: Present, city: City, seed: number): Promise<{ work: Workload; stop(): Promise<void> }> {
  const start = (script: string, args: string[]): Promise<PinnedServer> =>
    startPinned(serverCore, join(servers, script), args, {
      execArgs: ["--import", join(import.meta.dirname, "take-away.ts")],
      env: environmentWith(present),
    });
  if (work === "search") {
    const gateway = await start("gateway.ts", [city.socketPath, "0", city.secretsDir]);
    return { work: searchesOf(gateway, createRandom(seed)), stop: () => gateway.stop() };
  }
  const folder = await mkdtemp(join(tmpdir(), "petak-bench-"));
  const redis = await startRedisServer({ dataDir: folder });
  const gateway = await start("custody-gateway.ts", [redis.socketPath, String(lifeSites)]);
  return {
    work: livesOf(gateway),
    async stop() {
      await gateway.stop();
      await redis.stop();
      await rm(folder, { recursive: true });
    },
  };
}

const attemptsMax = 10;

/** Does something again where a gateway could not reach its store in time: on a machine that is busy with other things it may wait so long. */
async function patiently<Result>(act: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (attempt === attemptsMax || !String(error).includes("STORE_UNAVAILABLE")) throw error;
      await pause(1000);
    }
  }
}

function commitNow(): string {
  const head = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const isDirty = execFileSync("git", ["status", "--porcelain", "--", "packages", "bench/src"], { encoding: "utf8" }) !== "";
  return isDirty ? `${head} with changes` : head;
}
