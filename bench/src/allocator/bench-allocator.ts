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

/** What the bench is asked to do. */
export interface AllocatorBenchOptions {
  seconds: number;
  rounds: number;
  json: boolean;
  /** Sites of the large network, in place of a million. Larger ones are left out. */
  sites?: number | undefined;
  /** Prints the report and keeps nothing. */
  isDry: boolean;
  /** One part alone. */
  only?: string | undefined;
}

/** Sites of the network over all of ASEAN. */
const aseanSites = 1_000_000;

const measurements: Record<Part, (context: BenchContext) => Promise<Figure[]>> = {
  // The most heap is used last: what is left of it would slow down whatever is measured after.
  reserve: measureReserve,
  holds: measureHolds,
  nearest: measureNearest,
  growth: measureGrowth,
};

/**
 * Measures what the allocator costs, beside what people build today. A run of one part, or over a smaller network, is printed and not kept.
 *
 * @throws {Error} where a peer's answers are not the allocator's
 */
export async function benchAllocator({ seconds, rounds, json, sites, only, isDry }: AllocatorBenchOptions): Promise<void> {
  const wanted = only === undefined ? parts : parts.filter((part) => part === only);
  if (wanted.length === 0) throw new Error(`there is no part ${JSON.stringify(only)}; there is: ${parts.join(", ")}`);
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
