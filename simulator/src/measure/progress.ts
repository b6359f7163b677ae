import type { Observation, Operation } from "../observe/observation.ts";
import type { RunHeader } from "../observe/run-header.ts";
import type { Measure } from "./measure.ts";
import { Places, type PlacesInUse } from "./places.ts";
import { RecentCalls, type RecentOperation } from "./recent-calls.ts";
import type { Totals } from "./summary.ts";

/** Where a run stands, for whoever watches it. */
export interface Progress {
  /** Takes an observation, after the measure. */
  observe(observation: Observation): void;
  /**
   * Where the run stands. Call it at least once a second, since rates are of the time since earlier calls.
   *
   * @param elapsedMs ms since the run began
   */
  view(elapsedMs: number): ProgressView;
}

export interface ProgressView {
  /** The instant of the trace that is played, in ms since 1970: on a driven clock the network's time. */
  readonly playedAtMs: number;
  /** How much of the run is done, from 0 to 1: of the trace's period, and on a driven clock, which goes on until all have collected, of the intentions too. */
  readonly share: number;
  /** Whether the trace's period is over: what is open ends. */
  readonly isPeriodOver: boolean;
  /** Estimate of the time to the end, in ms. Undefined: unknown yet, or past it. */
  readonly leftMs: number | undefined;
  /** Intentions begun and not ended. */
  readonly open: number;
  /** In the last ten seconds, each second. */
  readonly perS: { readonly intended: number; readonly sent: number; readonly calls: number };
  readonly totals: Totals;
  /** Those with calls so far. */
  readonly operations: ReadonlyMap<Operation, RecentOperation>;
  readonly places: PlacesInUse;
  /** Of the gateway's process, as last sampled. */
  readonly gateway: GatewayLoad | undefined;
}

export interface GatewayLoad {
  /** Cores used since the sample before. Undefined: there is only one sample. */
  readonly cores: number | undefined;
  readonly memoryBytes: number;
  /** 99th percentile of the event loop's lag. */
  readonly lagMs: number;
}

/** Of how long rates and percentiles are, in ms. */
const recentMs = 10_000;

/** Follows a run. @param measure of the same run */
export function createProgress(header: RunHeader, measure: Measure): Progress {
  const { pace, trace, beganAtMs, intentions } = header;
  const calls = new RecentCalls();
  const places = new Places();
  /** What had been counted, each second of the last ten. */
  const history: { atMs: number; intended: number; sent: number; calls: number }[] = [{ atMs: 0, intended: 0, sent: 0, calls: 0 }];
  let networkMs = beganAtMs;
  let sample: { doneMs: number; cpuS: number } | undefined;
  let gateway: GatewayLoad | undefined;

  function takeMetrics(doneMs: number, values: { readonly [series: string]: number }): void {
    const cpuS = values.process_cpu_seconds_total;
    const memoryBytes = values.process_resident_memory_bytes;
    if (cpuS === undefined || memoryBytes === undefined) return;
    const sinceS = sample === undefined ? 0 : (doneMs - sample.doneMs) / 1000;
    const cores = sample === undefined || sinceS <= 0 || cpuS < sample.cpuS ? undefined : (cpuS - sample.cpuS) / sinceS;
    gateway = { cores, memoryBytes, lagMs: (values.nodejs_eventloop_lag_p99_seconds ?? 0) * 1000 };
    sample = { doneMs, cpuS };
  }

  function ratesAt(elapsedMs: number, { intended, sent, calls: made }: Totals["rate"]) {
    const counted = { atMs: elapsedMs, intended, sent, calls: made };
    if (elapsedMs - (history.at(-1)?.atMs ?? 0) >= 1000) history.push(counted);
    while (elapsedMs - (history[1]?.atMs ?? elapsedMs) >= recentMs) history.shift();
    const [first = counted] = history;
    const seconds = Math.max(0.001, elapsedMs - first.atMs) / 1000;
    return { intended: (intended - first.intended) / seconds, sent: (sent - first.sent) / seconds, calls: (made - first.calls) / seconds };
  }

  function playedMs(elapsedMs: number): number {
    return pace.clock === "driven" ? networkMs - beganAtMs : elapsedMs * pace.speed;
  }

  function leftMs(elapsedMs: number, share: number): number | undefined {
    if (share >= 1) return undefined;
    if (pace.clock === "wall") return (trace.durationMs * (1 - share)) / pace.speed;
    return share < 0.01 ? undefined : (elapsedMs / share) * (1 - share);
  }

  return {
    observe(observation) {
      if (observation.kind === "late") return;
      networkMs = Math.max(networkMs, observation.atMs);
      if (observation.kind === "call") calls.observe(observation);
      else if (observation.kind === "metrics") takeMetrics(observation.doneMs, observation.values);
      else places.observe(observation);
    },
    view(elapsedMs) {
      const totals = measure.totals();
      const played = playedMs(elapsedMs);
      const ended = Object.values(totals.ends).reduce((sum, { count }) => sum + count, 0);
      const endedShare = pace.clock === "wall" || intentions === 0 ? 1 : ended / intentions;
      const share = Math.min(1, played / trace.durationMs, endedShare);
      return {
        playedAtMs: Date.parse(trace.startAt) + played,
        share,
        isPeriodOver: played >= trace.durationMs,
        leftMs: leftMs(elapsedMs, share),
        open: Math.max(0, totals.rate.intended - ended),
        perS: ratesAt(elapsedMs, totals.rate),
        totals,
        operations: calls.view(elapsedMs),
        places: places.inUse(),
        gateway,
      };
    },
  };
}
