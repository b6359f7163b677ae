import { InputError, type InputPlace, show } from "../input/input-error.ts";
import { asRecord } from "../input/json.ts";

/** What a field of a line may hold. */
export type LogType =
  | { readonly kind: "count"; readonly unit?: string }
  | { readonly kind: "number"; readonly unit?: string }
  | { readonly kind: "flag" }
  | { readonly kind: "text" }
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  | { readonly kind: "list"; readonly of: LogType }
  | { readonly kind: "object"; readonly fields: LogFields }
  /** An object with a number for each name. */
  | { readonly kind: "numbers" }
  /** Observations within an observation; those have none in turn. */
  | { readonly kind: "observations" };

/** A field of a line. */
export interface LogField {
  readonly type: LogType;
  readonly isOptional?: boolean;
  readonly meaning: string;
}

export type LogFields = { readonly [name: string]: LogField };

/** The fields of an interface: all of them, and those optional that it has optional. */
export type FieldsOf<T> = {
  readonly [K in Exclude<keyof T, "kind">]-?: undefined extends T[K]
    ? LogField & { readonly isOptional: true }
    : LogField & { readonly isOptional?: never };
};

/** The type of a value that has this interface. */
export function objectOf<T>(fields: FieldsOf<T>): LogType {
  return { kind: "object", fields: fields as LogFields };
}

/**
 * Copies a value with its fields in the order of the table, without those that are undefined.
 *
 * @param observation copies an observation within an observation
 */
function inOrder(type: LogType, value: unknown, observation: (value: unknown) => unknown): unknown {
  if (type.kind === "list") return (value as readonly unknown[]).map((item) => inOrder(type.of, item, observation));
  if (type.kind === "observations") return (value as readonly unknown[]).map(observation);
  if (type.kind === "object") return fieldsInOrder(type.fields, value as Record<string, unknown>, observation);
  if (type.kind === "numbers") return sortedNumbers(value as Readonly<Record<string, number>>);
  return value;
}

/** JSON has no way to write what is not finite: those are left out. */
function sortedNumbers(values: Readonly<Record<string, number>>): Record<string, number> {
  const finite = Object.entries(values).filter(([, value]) => Number.isFinite(value));
  return Object.fromEntries(finite.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** As {@link inOrder}, for the fields of an object. */
export function fieldsInOrder(
  fields: LogFields,
  given: Readonly<Record<string, unknown>>,
  observation: (value: unknown) => unknown,
): Record<string, unknown> {
  const ordered: Record<string, unknown> = {};
  for (const name in fields) {
    const value = given[name];
    if (value !== undefined) ordered[name] = inOrder((fields[name] as LogField).type, value, observation);
  }
  return ordered;
}

/**
 * Checks the fields of an object.
 *
 * @param checkObservation checks an observation within an observation
 * @throws InputError at the first that is missing, unknown or of another type.
 */
export function checkFields(
  fields: LogFields,
  given: Readonly<Record<string, unknown>>,
  place: InputPlace,
  checkObservation: (value: unknown, place: InputPlace) => void,
): void {
  for (const name in fields) {
    const field = fields[name] as LogField;
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    const at = { ...place, field: place.field === undefined ? name : `${place.field}.${name}` };
    if (value !== undefined) checkType(field.type, value, at, checkObservation);
    else if (field.isOptional !== true) throw new InputError(at, "is missing, and it is required");
  }
  for (const name in given) {
    if (Object.hasOwn(fields, name)) continue;
    throw new InputError(place, `the field ${show(name)} is unknown; the fields are ${Object.keys(fields).join(", ")}`);
  }
}

function checkType(type: LogType, value: unknown, place: InputPlace, checkObservation: (value: unknown, place: InputPlace) => void): void {
  if (!isRight(type, value)) throw new InputError(place, `${show(value)} is not ${describeLogType(type)}`);
  if (type.kind === "object") checkFields(type.fields, value as Record<string, unknown>, place, checkObservation);
  if (type.kind === "list") for (const item of value as unknown[]) checkType(type.of, item, place, checkObservation);
  if (type.kind === "observations") for (const item of value as unknown[]) checkObservation(item, place);
}

function isRight(type: LogType, value: unknown): boolean {
  switch (type.kind) {
    case "count":
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case "number":
      return typeof value === "number";
    case "flag":
      return typeof value === "boolean";
    case "text":
      return typeof value === "string";
    case "choice":
      return type.choices.includes(value as string);
    case "numbers":
      return Object.values(asRecord(value) ?? { none: undefined }).every((item) => typeof item === "number");
    case "list":
    case "observations":
      return Array.isArray(value);
    case "object":
      return asRecord(value) !== undefined;
  }
}

/** What a field may hold, in words: for messages and for the documentation. */
export function describeLogType(type: LogType): string {
  switch (type.kind) {
    case "count":
      return `a whole number${inUnit(type.unit)}`;
    case "number":
      return `a number${inUnit(type.unit)}`;
    case "flag":
      return "true or false";
    case "text":
      return "a text";
    case "choice":
      return type.choices.length === 1 ? `\`${type.choices[0]}\`` : `one of ${type.choices.join(", ")}`;
    case "list":
      return type.of.kind === "text" ? "a list of texts" : "a list";
    case "object":
      return "an object";
    case "numbers":
      return "an object with a number for each name";
    case "observations":
      return "a list of observations";
  }
}

function inUnit(unit: string | undefined): string {
  return unit === undefined ? "" : ` (${unit})`;
}
