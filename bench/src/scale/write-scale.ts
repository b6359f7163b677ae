import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { queriesPerHold } from "../allocator/measure/cached-cost.ts";
import { type AllocatorReport, microsUnit } from "../allocator/report/figure.ts";
import { replaceSection } from "../docs-section.ts";
import { median } from "../median.ts";
import type { RpcReport } from "../rpc/figures.ts";
import { names } from "../rpc/subjects.ts";
import { assumptions } from "./assumptions.ts";
import { estimateScale, type MeasuredCosts } from "./estimate-scale.ts";
import { scaleText } from "./scale-text.ts";

const root = join(import.meta.dirname, "../../..");

/**
 * Estimates from the recorded runs what a network over all of ASEAN requires, and puts it into docs/performance.md. Measures nothing.
 *
 * @throws {Error} if a run is not recorded, or lacks a required figure
 */
export async function writeScale(): Promise<void> {
  const costs = costsOf(await readResult<RpcReport>("rpc"), await readResult<AllocatorReport>("allocator"));
  const text = scaleText(costs, assumptions, estimateScale(costs, assumptions));
  process.stdout.write(`${text}\n`);
  await replaceSection(join(root, "docs/performance.md"), "npm run bench -- scale", text);
}

/** Finds the cost of single operations in the recorded runs. */
export function costsOf(rpc: Pick<RpcReport, "figures">, allocator: Pick<AllocatorReport, "figures">): MeasuredCosts {
  const gateway = (what: string) => rpc.figures.find((figure) => figure.what === what && figure.protocol === "Connect JSON");
  const memory = (what: string) =>
    allocator.figures.filter((figure) => figure.unit === "bytes" && figure.what.startsWith(what)).at(-1)?.ours;
  const growth = allocator.figures.find(
    ({ part, unit, variant, target }) => part === "growth" && unit === microsUnit && variant === undefined && target !== undefined,
  );
  return {
    lookMicros: medianOf("FindNearest", gateway(names.findNearest)?.cpuMicrosPerCall),
    reserveMicros: medianOf("Reserve", gateway(names.reserve)?.cpuMicrosPerCall),
    redisReserveMicros: medianOf("Redis for Reserve", gateway(names.reserve)?.redisCpuMicrosPerCall),
    warmQueryMicros: medianOf("nearest over ASEAN", growth?.ours),
    queriesPerHold,
    siteBytes:
      medianOf("a site's place in the index", memory("memory of a site's place in the index")) +
      medianOf("a site's facts", memory("memory of a site's facts")),
    reservationBytes: medianOf("a reservation", memory("memory of a held reservation")),
  };
}

function medianOf(what: string, values: readonly number[] = []): number {
  if (values.length === 0) throw new Error(`the recorded runs have no cost of ${what}: run the benches rpc and allocator completely`);
  return median(values);
}

async function readResult<Report>(name: string): Promise<Report> {
  const path = join(root, `bench/results/${name}.json`);
  try {
    return JSON.parse(await readFile(path, "utf8")) as Report;
  } catch (error) {
    throw new Error(`no run is recorded in bench/results/${name}.json: npm run bench -- ${name}`, { cause: error });
  }
}
