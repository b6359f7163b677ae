import { createMeasure, type Measure } from "../../measure/measure.ts";
import type { Summary } from "../../measure/summary.ts";
import { Tally } from "../../measure/tally.ts";
import type { IntentionEnded, Observation, RunEnded, SiteSeen } from "../../observe/observation.ts";
import type { RunHeader } from "../../observe/run-header.ts";
import type { Intention } from "../../trace/intention.ts";
import { type EndReason, type Report, type RunFigures, reportSchema, reportVersion } from "../report.ts";
import { DeliveryDays, type DeliveryOptions } from "./delivery-days.ts";
import { Demand, outcomeOfEnd } from "./demand.ts";
import { gatewayFigures } from "./gateway.ts";
import { type Plan, PlannedSites } from "./planned-sites.ts";
import { Sites } from "./sites.ts";
import { Spread, share } from "./spread.ts";
import { localText, StepClock, speedOf } from "./step-clock.ts";
import { Violations } from "./violations.ts";

/** What else is known of a run. */
export interface FiguresOptions {
  /** One that takes the same observations already, e.g. for a live view. Default: one of its own. */
  readonly measure?: Measure;
  /** For the comparison of ways to deliver. Default: the documented parameters. */
  readonly delivery?: DeliveryOptions;
  /** The sites that the run has beyond those that exist. */
  readonly plan?: Plan;
}

/** Makes the figures of a run from what is observed in it. */
export interface Figures {
  /** Takes an intention of the run's trace, in its order, for the comparison of ways to deliver. */
  intend(intention: Intention): void;
  /** Takes an observation, in the order in which it was observed. */
  observe(observation: Observation): void;
  /** The figures so far. */
  figures(): Report;
}

const minuteMs = 60_000;

/** Limits of what is told apart: 100 km, 60 days, and 7 days. */
const mostWalkM = 100_000;
const mostStayMin = 60 * 1440;
const mostWaitMin = 7 * 1440;

/**
 * Begins the figures of a run. Memory is bounded by the city and at most 336 steps of time, whatever the number of observations, but for the parcels of one day.
 */
export function createFigures(header: RunHeader, { measure, delivery, plan }: FiguresOptions = {}): Figures {
  const clock = new StepClock(header);
  const load = measure ?? createMeasure();
  const demand = new Demand(clock);
  const sites = new Sites(clock);
  const walk = new Spread(mostWalkM);
  const stays = new Spread(mostStayMin);
  const waits = new Spread(mostWaitMin);
  const endReasons = new Tally();
  const violations = new Violations();
  const days = new DeliveryDays(header.trace, delivery);
  const planned = plan && new PlannedSites(plan);
  let waitedAndMet = 0;
  let lastAtMs = header.beganAtMs;
  let ended: RunEnded | undefined;

  function end(intention: IntentionEnded): void {
    const isMet = outcomeOfEnd(intention) === "met";
    demand.add(intention);
    sites.end(intention);
    if (isMet) planned?.add(intention);
    if (isMet && intention.distanceM !== undefined) walk.add(intention.distanceM);
    if (intention.stayMs !== undefined) stays.add((intention.stayMs * clock.speed) / minuteMs);
    if (intention.waitedMs !== undefined) {
      waits.add((intention.waitedMs * clock.speed) / minuteMs);
      if (isMet) waitedAndMet += 1;
    }
    if (intention.reason !== undefined) endReasons.add(intention.reason, [intention.intention], intention.end);
  }

  function see(site: SiteSeen): void {
    sites.see(site);
    planned?.see(site);
  }

  return {
    intend: (intention) => days.add(intention),
    observe(observation) {
      if (measure === undefined) load.observe(observation);
      if ("atMs" in observation) lastAtMs = Math.max(lastAtMs, observation.atMs);
      if (observation.kind === "ended") end(observation);
      else if (observation.kind === "site") see(observation);
      else if (observation.kind === "counts") sites.sample(observation);
      else if (observation.kind === "violation") violations.add(observation);
      else if (observation.kind === "end") ended = observation;
    },
    figures() {
      clock.stepOf(lastAtMs);
      const { demand: _, ...summary } = load.summary();
      const waited = waits.distribution(30, 24);
      return {
        schema: reportSchema,
        version: reportVersion,
        run: runFigures(header, ended, violations.count, summary),
        steps: clock.steps(),
        demand: demand.figures(),
        walk: { ...walk.distribution(100, 20), shareWithin250M: walk.shareUpTo(250), shareWithin500M: walk.shareUpTo(500) },
        occupancy: sites.occupancy(),
        cells: demand.cells(sites.cells()),
        sites: sites.figures(),
        stays: stays.distribution(240, 18),
        queues: { ...waited, met: waitedAndMet, metShare: share(waitedAndMet, waited.count) },
        load: withoutMetrics(summary),
        endReasons: endReasons
          .entries()
          .map(([reason, { count, intentions, parts }]): EndReason => ({ reason, count, ends: parts, intentions })),
        violations: violations.figures((atMs) => localText(clock.localMs(atMs))),
        gateway: gatewayFigures(summary.series),
        delivery: days.figures(sites.seen()),
        plan: planned?.figures() ?? null,
      };
    },
  };
}

function runFigures(
  header: RunHeader,
  ended: RunEnded | undefined,
  violations: number,
  { validity, rate }: Omit<Summary, "demand">,
): RunFigures {
  const { trace, intentions, gateway, protocol, software, pace, processes, faults, remarks, beganOnMs } = header;
  const { city, timeZone, seed, drawn, parameters, startAt, durationMs } = trace;
  const end = ended?.end ?? "unknown";
  const invalidReasons = [
    ...validity.reasons,
    ...(end === "gateway-lost" ? ["The gateway was lost before the run was complete."] : []),
    ...(violations > 0 ? ["Something was true that must never be: see the violations."] : []),
  ];
  return {
    city,
    timeZone,
    seed,
    drawn,
    parameters,
    startAt,
    durationMs,
    intentions,
    gateway,
    protocol,
    software,
    pace,
    speed: speedOf(header),
    processes,
    faults: Object.entries(faults).map(([name, value]) => ({ name, value })),
    remarks,
    beganOn: new Date(beganOnMs).toISOString(),
    tookMs: rate.durationMs,
    end,
    endReason: ended?.reason ?? null,
    isValid: invalidReasons.length === 0,
    invalidReasons,
  };
}

/** The gateway's metrics are figures of their own. */
function withoutMetrics({ series, ...summary }: Omit<Summary, "demand">): Report["load"] {
  return { ...summary, series: { ...series, columns: series.columns.map(({ metrics: _, ...column }) => column) } };
}
