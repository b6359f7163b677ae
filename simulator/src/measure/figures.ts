import { type Operation, operations } from "../observe/observation.ts";
import type { Percentiles } from "./latencies.ts";
import { outcomeClasses } from "./outcome-class.ts";
import type { Summary } from "./summary.ts";

/** A number of a run that a threshold can be about: a time in ms, or a count, mostly as a part of a whole. Undefined: there was nothing to count. */
export interface Figure {
  readonly name: string;
  readonly kind: "time" | "count";
  /** Whether the count may be stated in per cent of `of`. */
  readonly hasShare: boolean;
  valueOf(summary: Summary): FigureValue | undefined;
}

export interface FigureValue {
  readonly value: number;
  /** The whole of which the count is a part. */
  readonly of?: number;
}

const percentiles = { p50: "p50Ms", p90: "p90Ms", p99: "p99Ms", "p99.9": "p999Ms", max: "maxMs" } as const satisfies {
  [name: string]: keyof Percentiles;
};

/** The figures of an operation, as they follow its name and a dot. */
export const operationFigures = [...Object.keys(percentiles), ...outcomeClasses];

const time = (name: string, of: (summary: Summary) => number | undefined): Figure => ({
  name,
  kind: "time",
  hasShare: false,
  valueOf(summary) {
    const value = of(summary);
    return value === undefined ? undefined : { value };
  },
});

const part = (name: string, of: (summary: Summary) => FigureValue | undefined): Figure => ({
  name,
  kind: "count",
  hasShare: true,
  valueOf(summary) {
    const found = of(summary);
    return found === undefined || found.of === 0 ? undefined : found;
  },
});

function ofOperation(operation: Operation): Figure[] {
  const latencies = Object.entries(percentiles).flatMap(([name, key]) => [
    time(`${operation}.${name}`, (summary) => summary.operations[operation]?.[key]),
    ...outcomeClasses.map((outcome) =>
      time(`${operation}.${outcome}.${name}`, (summary) => summary.operations[operation]?.classes[outcome]?.[key]),
    ),
  ]);
  const counts = outcomeClasses.map((outcome) =>
    part(`${operation}.${outcome}`, (summary) => {
      const calls = summary.operations[operation];
      return calls && { value: calls[outcome], of: calls.ok + calls.refused + calls.failed };
    }),
  );
  return [...latencies, ...counts];
}

const ofRun: readonly Figure[] = [
  ...outcomeClasses.map((outcome) =>
    part(`calls.${outcome}`, ({ operations: found, rate }) => ({
      value: Object.values(found).reduce((sum, calls) => sum + calls[outcome], 0),
      of: rate.calls,
    })),
  ),
  part("sent", ({ rate }) => ({ value: rate.sent, of: rate.intended })),
  part("dropped", ({ rate }) => ({ value: rate.dropped, of: rate.intended })),
  part("late", ({ rate }) => ({ value: rate.late, of: rate.sent })),
  time("late.p99", ({ rate, validity }) => (rate.sent === 0 ? undefined : validity.lateP99Ms)),
  time("late.max", ({ rate, validity }) => (rate.sent === 0 ? undefined : validity.lateMaxMs)),
  part("met", ({ demand }) => ({ value: demand.met, of: demand.met + demand.unmet })),
  part("unmet", ({ demand }) => ({ value: demand.unmet, of: demand.met + demand.unmet })),
  {
    name: "violations",
    kind: "count",
    hasShare: false,
    valueOf: ({ violations }) => ({ value: Object.values(violations).reduce((sum, { count }) => sum + count, 0) }),
  },
];

/** The figures of the whole run, by name. */
export const runFigures: readonly string[] = ofRun.map(({ name }) => name);

/** All figures, by name. */
export const figures: ReadonlyMap<string, Figure> = new Map(
  [...operations.flatMap(ofOperation), ...ofRun].map((figure) => [figure.name, figure]),
);
