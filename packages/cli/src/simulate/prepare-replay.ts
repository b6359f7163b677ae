import type { Command } from "commander";
import { usageFailure } from "../failure.ts";
import { openText } from "../import-sites/text-source.ts";
import type { Session } from "../session.ts";
import { aloneRemark, isAlone } from "./alone.ts";
import { cityAround } from "./city-of-files.ts";
import { importTrace } from "./import-trace.ts";
import { type ImportTraceCommandOptions, importFacts } from "./options.ts";
import { outputFiles } from "./output-files.ts";
import { decidePace, paceRemarks } from "./pace.ts";
import { checkClock, doorRemark, faultsOfRun, readyGateway, stopIfInterrupted } from "./prepare.ts";
import type { PreparedRun } from "./prepared-run.ts";
import { withClient } from "./run-keys.ts";
import type { RunOptions } from "./run-options.ts";
import { readRunSites } from "./run-sites.ts";
import { look, openTrace, type RunTrace } from "./trace-file.ts";

/** Options of `petak replay`. */
export interface ReplayOptions extends ImportTraceCommandOptions, RunOptions {
  speed?: number;
  rate?: number;
  doors: boolean;
}

/**
 * Decides and checks everything of a replay, in the order in which it is cheapest to be wrong: options, files, keys, gateway.
 *
 * @throws CliFailure, InputError or ConnectError if it cannot run.
 */
export async function prepareReplay(session: Session, file: string, options: ReplayOptions, running: Command): Promise<PreparedRun> {
  const { io, url } = session;
  const signal = io.interruption();
  if (options.speed !== undefined && options.rate !== undefined)
    throw usageFailure("--speed and --rate both say how fast. Give one of them.");
  const path = session.resolve(file);
  const { trace, remarks } = await readAny(path, options, running);
  const city = cityAround(trace.header.city, trace.bounds, trace.header.timeZone);
  const files = await outputFiles(options, session.resolve, [path]);
  const { keys, courier, testClockMs } = await readyGateway(session, options, running);
  const sites = await withClient(session, courier, (client) => readRunSites(client, city, keys));
  stopIfInterrupted(signal);
  const pace = decidePace({
    speed: options.speed,
    perSecond: options.rate,
    hasTestClock: testClockMs !== undefined,
    hasAdmin: keys.admin !== undefined,
    durationMs: trace.header.durationMs,
    intentions: trace.count,
    usualMinutes: undefined,
  });
  checkClock(options, pace);
  const alone = await withClient(session, courier, (client) => isAlone(client, city, { isSaid: options.alone === true, pace }));
  return {
    url,
    tls: session.tls,
    city,
    trace,
    pace,
    keys,
    hasDoors: options.doors,
    operator: undefined,
    operatorId: undefined,
    sites,
    isAlone: alone,
    faults: faultsOfRun(options, options.seed),
    plan: undefined,
    files,
    options,
    remarks: [...remarks, ...doorRemark(sites.sites.length, sites.withDoors, options.doors), ...aloneRemark(alone), ...paceRemarks(pace)],
  };
}

/** Options of CSV files. */
const ofCsv = ["columns", "timeUnit", "collectedAt", "timeZone", "city"] as const;

/** Reads a trace, or makes one of a CSV file. */
async function readAny(path: string, options: ReplayOptions, running: Command): Promise<{ trace: RunTrace; remarks: readonly string[] }> {
  if (!(await isJson(path))) {
    const { header, intentions, remarks } = await importTrace(importFacts(path, options));
    return { trace: { header, intentions, ...(await look(intentions)) }, remarks };
  }
  const useless = ofCsv.find((name) => running.getOptionValueSource(name) === "cli");
  if (useless === undefined) return { trace: await openTrace(path), remarks: [] };
  throw usageFailure(
    "The file is a trace, and --columns, --time-unit, --collected-at, --time-zone and --city say how a CSV file is read. Leave them out.",
  );
}

async function isJson(path: string): Promise<boolean> {
  for await (const piece of (await openText(path)).read()) return piece.trimStart().startsWith("{");
  return false;
}
