import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { startRedisServer } from "@petak/redis/server";
import { createRandom, startTraceCollector, type TraceCollector } from "@petak/testkit";
import { type Pair, savedShare } from "../rent/shares.ts";
import { livesOf, searchesOf, type Workload } from "../rent/workloads.ts";
import { startPinned } from "../rpc/pinned-process.ts";
import { environmentOf, type TracingMode, tracingModes } from "./modes.ts";
import { type TracedWork, type TracingFigure, tracedWorks, writeTracingReport } from "./report.ts";

/** Core of the gateways. Whatever else there is finds its own. */
const serverCore = 0;

const citySites = 10_000;
const lifeSites = 16;

/** What each gateway does before anything is counted, in which Node compiles what is hot, and in a turn. */
const amounts = { search: { warmUp: 8000, turn: 400 }, life: { warmUp: 400, turn: 40 } } as const;

/** How often all gateways take their two turns in a round. */
const cyclesOfRound = 10;

/** How long after a turn its time is read, in ms: by then its spans have been sent, but for the rest of a batch, which is sent in the next turn. */
const settleMs = 100;

const servers = join(import.meta.dirname, "../servers");

/** What the bench is asked to do. */
export interface TracingBenchOptions {
  /** How many rounds there are, each with fresh gateways. */
  rounds: number;
  json: boolean;
  /** Prints the report and keeps nothing. */
  isDry: boolean;
  /** Does one work, and keeps nothing. */
  only?: string | undefined;
}

/** Compares the processor time of a gateway's work in each {@link TracingMode} with that without traces. */
export async function benchTracing({ rounds, json, isDry, only }: TracingBenchOptions): Promise<void> {
  const say = (line: string) => void (json || process.stderr.write(`${line}\n`));
  const works = (Object.keys(tracedWorks) as TracedWork[]).filter((work) => only === undefined || work === only);
  if (works.length === 0) throw new Error(`no work is called ${only}: ${Object.keys(tracedWorks).join(", ")}`);
  const folder = await mkdtemp(join(tmpdir(), "petak-bench-"));
  const collector = await startTraceCollector();
  const figures: TracingFigure[] = [];
  try {
    for (const work of works) {
      const compared = tracingModes.slice(1).map((mode) => ({ mode, rounds: [] as Pair[][] }));
      for (let round = 0; round < rounds; round++) {
        const found = await runRound(work, collector, join(folder, `${work}-${round}`), round);
        for (const [index, pairs] of found.entries()) compared[index]?.rounds.push(pairs);
        say(`round ${round + 1} of ${rounds}: ${tracedWorks[work]}`);
      }
      for (const { mode, rounds: pairs } of compared) {
        const { share, low, high, withoutMicros, withMicros } = savedShare(pairs, createRandom(1));
        // What is saved is less than nothing.
        figures.push({ work, mode: mode.name, ratio: 1 - share, low: 1 - high, high: 1 - low, withoutMicros, withMicros });
      }
    }
  } finally {
    await collector.stop();
    await rm(folder, { recursive: true });
  }
  const report = { node: process.version, cpu: cpus()[0]?.model ?? "unknown", rounds, cycles: cyclesOfRound, figures };
  await writeTracingReport(report, { json, isKept: !isDry && only === undefined });
}

/** Starts a gateway for each mode and lets them work by turns. Returns the pairs of each mode but the first. */
async function runRound(work: TracedWork, collector: TraceCollector, folder: string, seed: number): Promise<Pair[][]> {
  await using stack = new AsyncDisposableStack();
  const workloads: Workload[] = [];
  for (const [index, mode] of tracingModes.entries())
    workloads.push(await startWork(work, mode, collector, join(folder, `${index}`), seed, stack));
  const { warmUp, turn } = amounts[work];
  const cycle = async (): Promise<Pair[]> => {
    const micros = workloads.map(() => [] as number[]);
    // There and back again, so that what the machine does beside meets all of them.
    for (const index of [...workloads.keys(), ...[...workloads.keys()].toReversed()])
      micros[index]?.push((await workloads[index]?.(turn)) ?? 0);
    collector.spans.length = 0;
    const [without = 0, ...others] = micros.map(([first = 0, second = 0]) => (first + second) / 2);
    return others.map((withTraces) => ({ without, with: withTraces }));
  };
  for (let done = 0; done < warmUp; done += 2 * turn) await cycle();
  const pairs: Pair[][] = tracingModes.slice(1).map(() => []);
  for (let count = 0; count < cyclesOfRound; count++) for (const [index, pair] of (await cycle()).entries()) pairs[index]?.push(pair);
  return pairs;
}

/** A gateway that traces in this way, over a store of its own. The stack stops both. */
async function startWork(
  work: TracedWork,
  mode: TracingMode,
  collector: TraceCollector,
  dataDir: string,
  seed: number,
  stack: AsyncDisposableStack,
): Promise<Workload> {
  const redis = await startRedisServer({ dataDir });
  stack.defer(() => redis.stop());
  const [script, sites] = work === "search" ? ["gateway.ts", citySites] : ["custody-gateway.ts", lifeSites];
  const options = { env: environmentOf(mode, collector.endpoint) };
  const gateway = await startPinned(serverCore, join(servers, script), [redis.socketPath, String(sites)], options);
  stack.defer(() => gateway.stop());
  const { traceparent } = mode;
  return work === "search"
    ? searchesOf(gateway, createRandom(seed), { traceparent, settleMs })
    : livesOf(gateway, { traceparent, settleMs });
}
