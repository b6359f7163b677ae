import type { CallObserved, End, IntentionEnded, Observation, Operation } from "../observe/observation.ts";
import { heatBoundsMs, heatRow } from "./heat.ts";
import { Latencies } from "./latencies.ts";
import { Lateness } from "./lateness.ts";
import { type OutcomeClass, outcomeClass, outcomeClasses } from "./outcome-class.ts";
import { Series } from "./series.ts";
import {
  type ColumnCalls,
  type ColumnSummary,
  defaultLateLimits,
  type LateLimits,
  type OperationSummary,
  type Summary,
  type Totals,
} from "./summary.ts";
import { Tally } from "./tally.ts";

/** Measures a run from what is observed in it. */
export interface Measure {
  /** Takes an observation. The order matters little: a call is counted where it was to start. */
  observe(observation: Observation): void;
  /** What was measured so far. Takes up to 100 ms. */
  summary(): Summary;
  /** The part of {@link summary} that takes less than 1 ms. */
  totals(): Totals;
}

/** Length of the first columns in ms: a run of ten seconds has 40, one of a minute 240. */
const firstStepMs = 250;

/** Those of whom it is known that they wanted a place, by how they ended: whether they got one. */
const isMet: { readonly [end in End]?: boolean } = {
  collected: true,
  recalled: true,
  kept: true,
  cancelled: true,
  "no-show": true,
  refused: false,
  rejected: false,
  "gave-up": false,
  expired: false,
  stranded: false,
  failed: false,
};

type Counts = Record<OutcomeClass, number>;

/** One operation over the whole run. */
interface OperationCalls {
  readonly all: Latencies;
  readonly classes: Partial<Record<OutcomeClass, Latencies>>;
}

/** One operation in one column. */
interface CallColumn {
  readonly counts: Counts;
  readonly latencies: Latencies;
  readonly rows: Uint32Array;
}

interface Column {
  sent: number;
  dropped: number;
  late: number;
  readonly calls: Map<Operation, CallColumn>;
  metrics?: { readonly [series: string]: number };
}

/** Starts to measure. Memory is bounded, but for what it remembers of each intention in progress (some 50 bytes). */
export function createMeasure(limits: LateLimits = defaultLateLimits): Measure {
  const operations = new Map<Operation, OperationCalls>();
  const series = new Series<Column>(firstStepMs, () => ({ sent: 0, dropped: 0, late: 0, calls: new Map() }), mergeColumns);
  /** Intentions in progress, and whether each has a place. */
  const open = new Map<number, boolean>();
  const outcomes = new Tally();
  const ends = new Tally();
  const violations = new Tally();
  const lateness = new Lateness();
  const demand = { met: 0, unmet: 0 };
  const total = { sent: 0, dropped: 0, calls: 0 };
  /** The latest time seen, in ms since the run began. */
  let latestMs = 0;

  function begin(intention: number, dueMs: number): void {
    if (intention === 0 || open.has(intention)) return;
    open.set(intention, false);
    total.sent += 1;
    series.at(dueMs).sent += 1;
  }

  function observeCall(call: CallObserved): void {
    const { intention, operation, dueMs, doneMs, outcome } = call;
    begin(intention, dueMs);
    total.calls += 1;
    latestMs = Math.max(latestMs, doneMs);
    const latencyMs = doneMs - dueMs;
    const outcomeOf = outcomeClass(operation, outcome);
    recordWhole(operations, operation, outcomeOf, latencyMs);
    recordColumn(series.at(dueMs), operation, outcomeOf, latencyMs);
    if (outcome !== "OK") outcomes.add(outcome, [intention], operation);
  }

  function observeEnd({ intention, end }: IntentionEnded): void {
    ends.add(end, [intention]);
    if (end === "dropped") {
      total.dropped += 1;
      series.at(latestMs).dropped += 1;
    }
    const met = end === "unfinished" && open.get(intention) === true ? true : isMet[end];
    if (met !== undefined) demand[met ? "met" : "unmet"] += 1;
    open.delete(intention);
  }

  function totals(): Totals {
    const { sent, dropped, calls } = total;
    return {
      rate: { durationMs: latestMs, intended: sent + dropped, sent, dropped, late: lateness.count, calls },
      demand: { ...demand },
      outcomes: named(outcomes, ({ parts, ...counted }) => ({ ...counted, operations: parts })),
      ends: named(ends, ({ parts: _, ...counted }) => counted),
      violations: named(violations, ({ parts: _, ...counted }) => counted),
      validity: lateness.judge(sent, limits),
    };
  }

  return {
    observe(observation) {
      switch (observation.kind) {
        case "call":
          return observeCall(observation);
        case "given":
          if (open.has(observation.intention)) open.set(observation.intention, true);
          return;
        case "ended":
          return observeEnd(observation);
        case "late":
          begin(observation.intention, observation.dueMs);
          lateness.record(observation.sentMs - observation.dueMs);
          series.at(observation.dueMs).late += 1;
          return;
        case "metrics":
          latestMs = Math.max(latestMs, observation.doneMs);
          series.at(observation.doneMs).metrics = observation.values;
          return;
        case "violation":
          return violations.add(observation.rule, observation.intentions);
        case "end":
          latestMs = Math.max(latestMs, observation.doneMs);
      }
    },
    summary() {
      return {
        operations: Object.fromEntries([...operations].map(([operation, calls]) => [operation, summarizeOperation(calls)])),
        series: { stepMs: series.stepMs, heatBoundsMs, columns: [...series.entries()].map(summarizeColumn) },
        ...totals(),
      };
    },
    totals,
  };
}

function named<Value>(tally: Tally, toValue: (counted: ReturnType<Tally["entries"]>[number][1]) => Value): { [name: string]: Value } {
  return Object.fromEntries(tally.entries().map(([name, counted]) => [name, toValue(counted)]));
}

function recordWhole(operations: Map<Operation, OperationCalls>, operation: Operation, outcome: OutcomeClass, latencyMs: number): void {
  let calls = operations.get(operation);
  if (calls === undefined) {
    calls = { all: new Latencies(3), classes: {} };
    operations.set(operation, calls);
  }
  calls.all.record(latencyMs);
  calls.classes[outcome] ??= new Latencies(3);
  calls.classes[outcome].record(latencyMs);
}

function recordColumn(column: Column, operation: Operation, outcome: OutcomeClass, latencyMs: number): void {
  let calls = column.calls.get(operation);
  if (calls === undefined) {
    calls = { counts: { ok: 0, refused: 0, failed: 0 }, latencies: new Latencies(2), rows: new Uint32Array(heatBoundsMs.length) };
    column.calls.set(operation, calls);
  }
  calls.counts[outcome] += 1;
  calls.latencies.record(latencyMs);
  const row = heatRow(latencyMs);
  calls.rows[row] = (calls.rows[row] ?? 0) + 1;
}

function mergeColumns(into: Column, from: Column): void {
  into.sent += from.sent;
  into.dropped += from.dropped;
  into.late += from.late;
  if (from.metrics !== undefined) into.metrics = from.metrics;
  for (const [operation, calls] of from.calls) {
    const earlier = into.calls.get(operation);
    if (earlier === undefined) {
      into.calls.set(operation, calls);
      continue;
    }
    for (const outcome of outcomeClasses) earlier.counts[outcome] += calls.counts[outcome];
    earlier.latencies.add(calls.latencies);
    for (const [row, count] of calls.rows.entries()) earlier.rows[row] = (earlier.rows[row] ?? 0) + count;
  }
}

function summarizeOperation({ all, classes }: OperationCalls): OperationSummary {
  return {
    ok: classes.ok?.count ?? 0,
    refused: classes.refused?.count ?? 0,
    failed: classes.failed?.count ?? 0,
    ...all.percentiles(),
    hdr: all.curve(),
    classes: Object.fromEntries(Object.entries(classes).map(([outcome, latencies]) => [outcome, latencies.percentiles()])),
  };
}

function summarizeColumn({ fromMs, column }: { fromMs: number; column: Column }): ColumnSummary {
  const { sent, dropped, late, calls, metrics } = column;
  return {
    fromMs,
    sent,
    dropped,
    late,
    calls: Object.fromEntries([...calls].map(([operation, found]) => [operation, summarizeCalls(found)])),
    ...(metrics === undefined ? {} : { metrics }),
  };
}

function summarizeCalls({ counts, latencies, rows }: CallColumn): ColumnCalls {
  return {
    ...counts,
    p50Ms: latencies.percentileMs(50),
    p99Ms: latencies.percentileMs(99),
    maxMs: latencies.percentileMs(100),
    buckets: [...rows.entries()].filter(([, count]) => count > 0),
  };
}
