import type { End, Operation } from "../observe/observation.ts";
import type { Percentiles } from "./latencies.ts";
import type { OutcomeClass } from "./outcome-class.ts";

/** What was measured in a run, as plain JSON. Latencies are in ms, from when a call was to start; percentiles have three digits. */
export interface Summary extends Totals {
  /** Only operations of which there was a call. */
  readonly operations: { readonly [operation in Operation]?: OperationSummary };
  readonly series: SeriesSummary;
}

/** What can be told at any time without much work. */
export interface Totals {
  readonly rate: RateSummary;
  readonly demand: DemandSummary;
  /** Outcomes of calls other than `OK`, the most frequent first. At most 200; further ones are counted as `(others)`. */
  readonly outcomes: { readonly [reason: string]: ReasonSummary };
  /** How intentions ended. */
  readonly ends: { readonly [end in End]?: Counted };
  /** Found by the oracle, by rule. */
  readonly violations: { readonly [rule: string]: Counted };
  readonly validity: Validity;
}

export interface Counted {
  readonly count: number;
  /** The first intentions of which it was observed, at most 20, to look them up in the trace. */
  readonly intentions: readonly number[];
}

export interface ReasonSummary extends Counted {
  readonly operations: { readonly [operation in Operation]?: number };
}

/** Calls of one operation. Its percentiles are of all calls, whatever came of them: who gave up waited too. */
export interface OperationSummary extends Percentiles {
  readonly ok: number;
  readonly refused: number;
  readonly failed: number;
  /** Points of an HDR plot: percentile and latency in ms. */
  readonly hdr: readonly (readonly [percent: number, ms: number])[];
  /** The percentiles of each class of which there was a call. */
  readonly classes: { readonly [outcome in OutcomeClass]?: Percentiles };
}

export interface SeriesSummary {
  /** Length of a column in ms. */
  readonly stepMs: number;
  /** Lower bounds in ms of the rows of the heat map; a row ends where the next one begins. */
  readonly heatBoundsMs: readonly number[];
  /** Those in which something was observed. A call stands where it was to start. */
  readonly columns: readonly ColumnSummary[];
}

export interface ColumnSummary {
  /** Ms since the run began. */
  readonly fromMs: number;
  /** Intentions begun, dropped, and begun late. */
  readonly sent: number;
  readonly dropped: number;
  readonly late: number;
  readonly calls: { readonly [operation in Operation]?: ColumnCalls };
  /** The gateway's metrics, as last sampled in this column. */
  readonly metrics?: { readonly [series: string]: number };
}

export interface ColumnCalls {
  readonly ok: number;
  readonly refused: number;
  readonly failed: number;
  /** With two digits. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Rows of the heat map and their numbers of calls, from the lowest; rows without calls are left out. */
  readonly buckets: readonly (readonly [row: number, count: number])[];
}

export interface RateSummary {
  /** From the beginning of the run to its end, or to the last answer. */
  readonly durationMs: number;
  /** Intentions that were due: sent and dropped. */
  readonly intended: number;
  /** Intentions that were begun. */
  readonly sent: number;
  /** Intentions that the generator could not begin, because it had too much in progress. */
  readonly dropped: number;
  /** Intentions that the generator began 1 ms or more after they were due. */
  readonly late: number;
  readonly calls: number;
}

/** What became of those who wanted a place; the others only looked, or were never begun. */
export interface DemandSummary {
  /** Got a place and kept it as long as they wanted. */
  readonly met: number;
  readonly unmet: number;
}

/** Whether the generator kept to the plan, so that the figures say something about the gateway. */
export interface Validity {
  readonly isValid: boolean;
  /** How late the generator began intentions; of those that it began less than 1 ms late, 0. */
  readonly lateP99Ms: number;
  readonly lateMaxMs: number;
  /** Beyond either of these the run is invalid. */
  readonly limits: LateLimits;
  /** Why it is invalid, in sentences. */
  readonly reasons: readonly string[];
}

export interface LateLimits {
  readonly lateP99Ms: number;
  readonly lateMaxMs: number;
}

/** Limits if none are given. */
export const defaultLateLimits: LateLimits = { lateP99Ms: 20, lateMaxMs: 1000 };
