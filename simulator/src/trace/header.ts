import { isPrintable } from "@petak/protocol/printable-text";
import { InputError, type InputPlace, show } from "../input/input-error.ts";
import { asRecord } from "../input/json.ts";
import { maxTraceMs } from "./intention.ts";

/** Name and version of the schema. A release that changes the meaning of a line changes the version. */
export const traceSchema = "petak.trace";
export const traceVersion = 1;

/** A value of a parameter: anything that JSON can hold. */
export type ParameterValue = string | number | boolean | null | readonly ParameterValue[] | { readonly [name: string]: ParameterValue };

/** The first line of a trace: what it is, and how it was drawn. */
export interface TraceHeader {
  /** Seed of all draws: a whole number from 0 to 2^53-1. Null if nothing was drawn, e.g. imported traffic. */
  readonly seed: number | null;
  /** Name of the city or of the area, for reports. 1 to 100 characters. */
  readonly city: string;
  /** IANA name, e.g. `Asia/Singapore`: for local hours in reports. */
  readonly timeZone: string;
  /** The instant from which `atMs` counts: ISO 8601 in UTC with milliseconds, e.g. `2026-11-08T16:00:00.000Z`. */
  readonly startAt: string;
  /** Length of the period in ms. Every `atMs` is below it. */
  readonly durationMs: number;
  /** How the trace came to be, in a sentence. 1 to 1000 characters. */
  readonly drawn: string;
  /** The parameters of the drawing or import. */
  readonly parameters: { readonly [name: string]: ParameterValue };
}

const names = ["schema", "version", "seed", "city", "timeZone", "startAt", "durationMs", "drawn", "parameters"];

/**
 * Checks the header of a trace.
 *
 * @throws InputError if it is not one, or one of another version.
 */
export function checkHeader(value: unknown, place: InputPlace): TraceHeader {
  const given = asRecord(value);
  if (given?.schema !== traceSchema) {
    throw new InputError(place, `the first line is not the header of a trace: it must have "schema":"${traceSchema}"`);
  }
  const { schema: _, version, ...rest } = given;
  if (version !== traceVersion) {
    throw new InputError({ ...place, field: "version" }, `${show(version)} is not the version ${traceVersion}, which this release reads`);
  }
  const unknown = Object.keys(rest).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new InputError(place, `the header's field ${show(unknown)} is unknown; the fields are ${names.join(", ")}`);
  const header = rest as unknown as TraceHeader;
  for (const [name, limit, isRight] of rules) {
    const given = (rest as Record<string, unknown>)[name];
    if (!isRight(given)) throw new InputError({ ...place, field: name }, `${show(given)} is not ${limit}`);
  }
  return header;
}

const text = (max: number) => (value: unknown) =>
  typeof value === "string" && value.length >= 1 && value.length <= max && isPrintable(value);

/** For each field: its name, what it may hold in words, and the check. */
const rules: readonly [name: keyof TraceHeader, limit: string, isRight: (value: unknown) => boolean][] = [
  ["seed", "a whole number from 0 to 2^53-1, or null if nothing was drawn", (value) => value === null || isCount(value)],
  ["city", "a text of 1 to 100 characters without control characters", text(100)],
  ["timeZone", "the IANA name of a time zone, e.g. Asia/Singapore", (value) => typeof value === "string" && isTimeZone(value)],
  ["startAt", "an instant in UTC with milliseconds, e.g. 2026-11-08T16:00:00.000Z", isInstant],
  ["durationMs", "a whole number of ms, from 1 ms to 3660 days", (value) => isCount(value) && value >= 1 && value <= maxTraceMs],
  ["drawn", "a text of 1 to 1000 characters without control characters", text(1000)],
  ["parameters", "an object", (value) => asRecord(value) !== undefined],
];

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isInstant(value: unknown): boolean {
  if (typeof value !== "string") return false;
  const time = new Date(value);
  return !Number.isNaN(time.getTime()) && time.toISOString() === value;
}

/** Whether this machine knows a time zone. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The header's line, without its end. */
export function headerLine(header: TraceHeader): string {
  const { seed, city, timeZone, startAt, durationMs, drawn, parameters } = header;
  return JSON.stringify({ schema: traceSchema, version: traceVersion, seed, city, timeZone, startAt, durationMs, drawn, parameters });
}
