import { InputError, show } from "../input/input-error.ts";
import { operations } from "../observe/observation.ts";
import { type Figure, figures, operationFigures, runFigures } from "./figures.ts";
import type { Summary } from "./summary.ts";

const comparisons = {
  "<": (value: number, limit: number) => value < limit,
  "<=": (value: number, limit: number) => value <= limit,
  ">": (value: number, limit: number) => value > limit,
  ">=": (value: number, limit: number) => value >= limit,
  "==": (value: number, limit: number) => value === limit,
} as const;

/** Units of time, in ms. */
const timeUnits = { us: 0.001, ms: 1, s: 1000, min: 60_000 } as const;

/** What a run must reach, e.g. `find.p99<50ms`. */
export interface Threshold {
  /** As it was written. */
  readonly text: string;
  readonly figure: Figure;
  readonly comparison: keyof typeof comparisons;
  /** In ms, a count, or per cent. */
  readonly limit: number;
  /** Of the limit, and of the value found. */
  readonly unit: "ms" | "count" | "percent";
}

/** What was found. */
export interface ThresholdResult {
  readonly text: string;
  readonly unit: Threshold["unit"];
  /** In the threshold's unit. Null: nothing was measured of which this could be said; then the threshold is not met. */
  readonly value: number | null;
  readonly isMet: boolean;
}

const form = /^\s*([a-z][a-z0-9.]*)\s*(<=|>=|==|<|>)\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|%)?\s*$/;

/**
 * Reads a threshold: FIGURE COMPARISON VALUE. docs/simulator.md lists what there is.
 *
 * @throws InputError in one sentence that says what there is instead.
 */
export function parseThreshold(text: string): Threshold {
  const refuse = (problem: string) => new InputError({ file: `threshold ${show(text)}` }, problem);
  const [, name, comparison, number, unit] = form.exec(text) ?? [];
  if (name === undefined || !isComparison(comparison)) {
    throw refuse(`it is not FIGURE COMPARISON VALUE, as in find.p99<50ms; comparisons are ${Object.keys(comparisons).join(" ")}`);
  }
  const figure = figures.get(name);
  if (figure === undefined) {
    throw refuse(
      `there is no figure ${name}; there are ${runFigures.join(", ")}, and ${operationFigures.join(", ")} of each of ${operations.join(", ")}, as in find.p99 or find.ok.p99`,
    );
  }
  const given = Number(number);
  if (figure.kind === "time") {
    if (unit === undefined || unit === "%") {
      throw refuse(`${name} is a time, so its limit needs one of the units ${Object.keys(timeUnits).join(", ")}, as in ${name}<50ms`);
    }
    return { text, figure, comparison, limit: Math.round(given * timeUnits[unit as keyof typeof timeUnits] * 1e6) / 1e6, unit: "ms" };
  }
  if (unit === "%" && figure.hasShare) {
    if (given > 100) throw refuse(`${given} % is more than all; a share is from 0% to 100%`);
    return { text, figure, comparison, limit: given, unit: "percent" };
  }
  if (unit !== undefined || !Number.isSafeInteger(given)) {
    throw refuse(`${name} is a count, so its limit is a whole number${figure.hasShare ? ", or a share with %" : ""}, as in ${name}<10`);
  }
  return { text, figure, comparison, limit: given, unit: "count" };
}

function isComparison(text: string | undefined): text is keyof typeof comparisons {
  return text !== undefined && Object.hasOwn(comparisons, text);
}

/** Holds a run against a threshold. */
export function judgeThreshold({ text, figure, comparison, limit, unit }: Threshold, summary: Summary): ThresholdResult {
  const found = figure.valueOf(summary);
  if (found === undefined) return { text, unit, value: null, isMet: false };
  const { value, of = 1 } = found;
  const inUnit = unit === "percent" ? (value * 100) / of : value;
  return { text, unit, value: inUnit, isMet: comparisons[comparison](inUnit, limit) };
}
