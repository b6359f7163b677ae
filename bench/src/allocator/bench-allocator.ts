import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { findRedisServer } from "@petak/redis/server";

import type { BenchContext } from "./bench-context.ts";
import { measureGrowth } from "./parts/growth.ts";
import { measureHolds } from "./parts/holds.ts";
import { measureNearest } from "./parts/nearest.ts";
import { measureReserve } from "./parts/reserve.ts";
import { type Figure, type Part, parts } from "./report/figure.ts";
import { writeReport } from "./report/report.ts";

/** Options of the bench. */
export interface AllocatorBenchOptions {
  seconds: number;
  rounds: number;
  json: boolean;
  /** Number of sites of the large network. Default: a million. Networks with more sites are not measured. */
  sites?: number | undefined;
  /** Prints the report without storing it. */
  isDry: boolean;
  /** The one part to measure. Default: all. */
  only?: string | undefined;
}

/** Number of sites of the network over all of ASEAN. */
const aseanSites = 1_000_000;

const measurements: Record<Part, (context: BenchContext) => Promise<Figure[]>> = {
  // The part that uses the most heap is last, because a large heap would slow down later measurements.
  reserve: measureReserve,
  holds: measureHolds,
  nearest: measureNearest,
  growth: measureGrowth,
};

/**
 * Measures the costs of the allocator and of its peers. A run of one part, or over a smaller network, is printed and not stored.
 *
 * @throws {Error} if a peer's answers differ from the allocator's
 */
export async function benchAllocator({ seconds, rounds, json, sites, only, isDry }: AllocatorBenchOptions): Promise<void> {
  const wanted = only === undefined ? parts : parts.filter((part) => part === only);
  if (wanted.length === 0) throw new Error(`unknown part ${JSON.stringify(only)}; known parts: ${parts.join(", ")}`);
  const say = (line: string) => void (json || process.stderr.write(`${line}\n`));
  const context: BenchContext = { rounds, seconds, mostSites: sites ?? aseanSites, say };
  const figures: Figure[] = [];
  for (const part of wanted) figures.push(...(await measurements[part](context)));
  const { flavour, version } = await findRedisServer();
  await writeReport(
    {
      commit: commitNow(),
      node: process.version,
      server: `${flavour} ${version}`,
      cpu: cpus()[0]?.model ?? "unknown",
      rounds,
      seconds,
      figures,
    },
    { json, isKept: !isDry && only === undefined && sites === undefined },
  );
}

function commitNow(): string {
  const head = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const isDirty = execFileSync("git", ["status", "--porcelain", "--", "packages", "bench/src"], { encoding: "utf8" }) !== "";
  return isDirty ? `${head} with changes` : head;
}
