import {
  createFigures,
  createMeasure,
  createOracle,
  type Observation,
  oracleOptionsOf,
  type Report,
  type RunHeader,
  type Summary,
  sampleMetrics,
} from "@petak/simulator";
import { defaultManagementUrl } from "../serve/gateway-url.ts";
import type { LiveView } from "./live-view.ts";
import { plannedRef } from "./planned-sites.ts";
import type { PreparedRun } from "./prepared-run.ts";
import type { RunLogFile } from "./run-log-file.ts";

/** Takes everything that is observed in a run: it is judged, measured, logged and shown. */
export interface Recorder {
  begin(header: RunHeader): void;
  observe(observation: Observation): void;
  /** Completes the log; the end comes after what is found at last. Returns why the log is incomplete; undefined if it is complete. */
  end(): Promise<string | undefined>;
  /** Undefined: the run has not begun. */
  result(): Promise<{ report: Report; summary: Summary } | undefined>;
}

/** Makes the recorder of a run. @param view shows it, and tells what is missing in the results */
export function createRecorder(run: PreparedRun, log: RunLogFile, view: LiveView): Recorder {
  const measure = createMeasure();
  let begun:
    | { figures: ReturnType<typeof createFigures>; oracle: ReturnType<typeof createOracle>; metrics: ReturnType<typeof sampleMetrics> }
    | undefined;
  let networkMs = 0;
  let end: Observation | undefined;

  function take(observation: Observation): void {
    measure.observe(observation);
    begun?.figures.observe(observation);
    log.add(observation);
    view.observe(observation);
  }

  function observe(observation: Observation): void {
    if ("atMs" in observation) networkMs = Math.max(networkMs, observation.atMs);
    if (observation.kind === "end") end = observation;
    else take(observation);
    for (const violation of begun?.oracle.observe(observation) ?? []) take(violation);
  }

  return {
    begin(header) {
      log.begin(header);
      view.begin(header, measure);
      networkMs = header.beganAtMs;
      const beganMs = performance.now();
      begun = {
        figures: createFigures(header, { measure, ...planOf(run) }),
        oracle: createOracle(oracleOptionsOf(header, run.isAlone)),
        metrics: sampleMetrics({
          url: run.options.management ?? defaultManagementUrl(run.url),
          sinceBeganMs: () => performance.now() - beganMs,
          networkMs: () => networkMs,
          observe,
          note: view.note,
        }),
      };
    },
    observe,
    async end() {
      await begun?.metrics.stop();
      for (const violation of begun?.oracle.finish() ?? []) take(violation);
      if (end !== undefined) take(end);
      return await log.end();
    },
    async result() {
      if (begun === undefined) return undefined;
      for await (const intention of run.trace.intentions) begun.figures.intend(intention);
      return { report: begun.figures.figures(), summary: measure.summary() };
    },
  };
}

function planOf({ plan }: PreparedRun) {
  if (plan === undefined) return {};
  const { walkM, residents, coveredBefore, sites } = plan;
  return {
    plan: { walkM, residents, coveredBefore, sites: sites.map((site, index) => ({ ref: plannedRef(index), residents: site.residents })) },
  };
}
