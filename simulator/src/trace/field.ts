import { InputError, type InputPlace, show } from "../input/input-error.ts";

/** What a field of an intention may hold. */
export type FieldKind =
  | {
      kind: "integer";
      /** Unit, for the documentation. */
      unit: string;
      /** Limits, inclusive. */
      min: number;
      max: number;
      /** Whether null is allowed, and what it says. */
      orNull?: string;
    }
  | { kind: "degrees"; limit: 90 | 180 }
  | { kind: "name"; maxLength: number; orNull?: string }
  | { kind: "choice"; choices: readonly string[] };

/** A field of an intention. */
export interface Field {
  readonly type: FieldKind;
  /** The value if the field is absent. Undefined: required. */
  readonly ifAbsent?: string | number | null;
  readonly meaning: string;
}

/** Degrees are rounded to this many parts: about 0.1 m. */
const partsPerDegree = 1e6;

/** Rounds an angle to the precision of a trace. Adding 0 turns -0 into 0. */
export function roundDegrees(degrees: number): number {
  return Math.round(degrees * partsPerDegree) / partsPerDegree + 0;
}

/**
 * Checks a value and returns it as a trace holds it.
 *
 * @throws InputError
 */
export function checkField({ type }: Field, value: unknown, place: InputPlace): string | number | null {
  const problem = problemOf(type, value);
  if (problem !== undefined) throw new InputError(place, problem);
  return type.kind === "degrees" ? roundDegrees(value as number) : (value as string | number | null);
}

function problemOf(type: FieldKind, value: unknown): string | undefined {
  if (value === null && "orNull" in type && type.orNull !== undefined) return undefined;
  switch (type.kind) {
    case "integer":
      if (Number.isSafeInteger(value) && (value as number) >= type.min && (value as number) <= type.max) return undefined;
      return `${show(value)} is not ${describeKind(type)}`;
    case "degrees":
      if (typeof value === "number" && Math.abs(value) <= type.limit) return undefined;
      return `${show(value)} is not ${describeKind(type)}`;
    case "name":
      if (typeof value === "string" && value.length <= type.maxLength && /^[\x21-\x7e]+$/.test(value)) return undefined;
      return `${show(value)} is not ${describeKind(type)}`;
    case "choice":
      return type.choices.includes(value as string) ? undefined : `${show(value)} is not ${describeKind(type)}`;
  }
}

/** What a field may hold, in words: for messages and for the documentation. */
export function describeKind(type: FieldKind): string {
  switch (type.kind) {
    case "integer":
      return `a whole number from ${type.min} to ${type.max}${type.unit === "" ? "" : ` (${type.unit})`}${nullIn(type.orNull)}`;
    case "degrees":
      return `a number from -${type.limit} to ${type.limit} (degrees)`;
    case "name":
      return `1 to ${type.maxLength} printable ASCII characters without spaces${nullIn(type.orNull)}`;
    case "choice":
      return `one of ${type.choices.join(", ")}`;
  }
}

function nullIn(meaning: string | undefined): string {
  return meaning === undefined ? "" : `, or null: ${meaning}`;
}
