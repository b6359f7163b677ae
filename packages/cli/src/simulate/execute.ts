import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunEnded, type RunHeader, runCity } from "@petak/simulator";
import cliPackage from "../../package.json" with { type: "json" };
import { putPlannedSites, retirePlannedSites } from "./planned-sites.ts";
import type { PreparedRun } from "./prepared-run.ts";
import { runProcesses } from "./processes/run-processes.ts";
import type { Recorder } from "./recorder.ts";
import { withClient } from "./run-keys.ts";
import { writeTraceFile } from "./write-file.ts";

/** Acts in progress for each courier; a gateway allows a participant 256 calls. */
const inFlightPerCourier = 200;

/**
 * Runs what was prepared, with planned sites in the directory for as long as it takes.
 *
 * @throws if the run cannot begin, or has a defect; what was observed by then is with the recorder.
 */
export async function execute(run: PreparedRun, recorder: Recorder, signal: AbortSignal): Promise<RunEnded> {
  const { operator, plan, city } = run;
  if (plan === undefined || operator === undefined) return await play(run, recorder, signal);
  const siteIds = await withClient(run, operator, (client) => putPlannedSites(client, plan, city));
  try {
    return await play(run, recorder, signal);
  } finally {
    // A gateway that is gone keeps them; the next run with a plan puts others in their places.
    await withClient(run, operator, (client) => retirePlannedSites(client, siteIds)).catch(() => undefined);
  }
}

async function play(run: PreparedRun, recorder: Recorder, signal: AbortSignal): Promise<RunEnded> {
  const { url, tls, trace, pace, keys, options, operatorId, files } = run;
  const city = {
    gateway: { url, protocol: options.protocol, tls: tls?.() },
    couriers: keys.couriers,
    ...(operatorId === undefined ? {} : { siteFilters: { operatorIds: [operatorId] } }),
    pace,
    operators: operatorsOf(run),
    faults: run.faults,
    isLeftClean: options.keep !== true,
    inFlightMax: inFlightPerCourier * keys.couriers.length,
    onBegin: (began: { beganAtMs: number; beganOnMs: number }) =>
      recorder.begin({ ...headerOf(run), beganAtMs: began.beganAtMs, beganOnMs: began.beganOnMs }),
    observe: recorder.observe,
    signal,
  };
  if (options.processes === 1) {
    return await runCity({ ...city, trace, ...(keys.admin === undefined ? {} : { admin: keys.admin }) });
  }
  const together = async (tracePath: string) => {
    const ended = await runProcesses({ ...city, tracePath, processes: options.processes });
    recorder.observe(ended);
    return ended;
  };
  if (files.record !== undefined) return await together(files.record);
  const folder = await mkdtemp(join(tmpdir(), "petak-trace-"));
  try {
    const path = join(folder, "trace.ndjson");
    await writeTraceFile(path, trace.header, trace.intentions);
    return await together(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whose doors the run has. */
function operatorsOf({ keys, hasDoors, operatorId }: PreparedRun) {
  if (!hasDoors) return new Map();
  if (operatorId === undefined) return keys.operators;
  return new Map([...keys.operators].filter(([participantId]) => participantId === operatorId));
}

function headerOf({ trace, url, options, pace, faults, remarks }: PreparedRun): Omit<RunHeader, "beganAtMs" | "beganOnMs"> {
  const { seed: _, offlineMs, powerLossMs, repairMs, ...rates } = faults;
  const made = Object.entries({
    ...rates,
    ...(rates.jammedDoors > 0 && { repairMs }),
    ...(rates.offlinePerDay > 0 && { offlineMs }),
    ...(rates.powerLossPerDay > 0 && { powerLossMs }),
  });
  return {
    trace: trace.header,
    intentions: trace.count,
    gateway: url,
    protocol: options.protocol,
    software: `petak ${cliPackage.version}`,
    pace,
    faults: Object.fromEntries(made.filter(([, value]) => value > 0)),
    processes: options.processes,
    remarks,
  };
}
