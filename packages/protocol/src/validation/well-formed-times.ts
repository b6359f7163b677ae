import type { DescField, DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { FieldViolation } from "../errors/petak-error.ts";

/** Limits of google.protobuf.Timestamp, 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z, in s since 1970. */
const [firstSecond, lastSecond] = [-62_135_596_800n, 253_402_300_799n];

/** Limit of google.protobuf.Duration in both directions, about 10,000 years, in s. */
const longestSeconds = 315_576_000_000n;

const nanosPerSecond = 1_000_000_000;

type Values = Record<string, unknown>;
type Check = (value: Values, path: string, found: FieldViolation[]) => void;

const checks = new Map<DescMessage, Check | undefined>();

/**
 * Finds the timestamps and durations of a message, at any depth, that violate the rules of their own types: beyond the limits, with nanos of a second or more, or
 * with seconds and nanos of different signs. Binary messages can contain such values, and they cannot be written as JSON. The schema's constraints do not detect
 * them, because they compare only the resulting time.
 */
export function illFormedTimes<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): FieldViolation[] {
  const found: FieldViolation[] = [];
  checkOf(schema)?.(message as unknown as Values, "", found);
  return found;
}

/** Whether a timestamp satisfies the rules of its type. */
export function isWellFormedTimestamp({ seconds, nanos }: Timestamp): boolean {
  return seconds >= firstSecond && seconds <= lastSecond && nanos >= 0 && nanos < nanosPerSecond;
}

/** Whether a duration satisfies the rules of its type. */
export function isWellFormedDuration({ seconds, nanos }: Duration): boolean {
  const isOfOneSign = seconds === 0n || nanos === 0 || seconds > 0n === nanos > 0;
  return seconds >= -longestSeconds && seconds <= longestSeconds && Math.abs(nanos) < nanosPerSecond && isOfOneSign;
}

/** The check of the times in a message type. Undefined if it contains none. */
function checkOf(schema: DescMessage): Check | undefined {
  if (checks.has(schema)) return checks.get(schema);
  const check = reachesTime(schema, new Set()) ? makeCheck(schema) : undefined;
  checks.set(schema, check);
  return check;
}

function makeCheck(schema: DescMessage): Check {
  if (schema.typeName === TimestampSchema.typeName) return checkTimestamp;
  if (schema.typeName === DurationSchema.typeName) return checkDuration;
  const fields = schema.fields.filter((field) => field.message !== undefined && reachesTime(field.message, new Set()));
  return (message, path, found) => {
    for (const field of fields) {
      // Looked up here and not when the check is made, because a type may contain its own type.
      const check = checkOf(field.message as DescMessage) as Check;
      const name = `${path}${path === "" ? "" : "."}${field.name}`;
      const value = fieldValue(message, field);
      if (value === undefined) continue;
      if (field.fieldKind === "list") for (const [index, item] of (value as Values[]).entries()) check(item, `${name}[${index}]`, found);
      else if (field.fieldKind === "map")
        for (const [key, item] of Object.entries(value as Values)) check(item as Values, `${name}["${key}"]`, found);
      else check(value as Values, name, found);
    }
  };
}

function fieldValue(message: Values, { oneof, localName }: DescField): unknown {
  if (oneof === undefined) return message[localName];
  const chosen = message[oneof.localName] as { case?: string; value?: unknown };
  return chosen.case === localName ? chosen.value : undefined;
}

function reachesTime(schema: DescMessage, seen: Set<DescMessage>): boolean {
  if (schema.typeName === TimestampSchema.typeName || schema.typeName === DurationSchema.typeName) return true;
  if (seen.has(schema)) return false;
  seen.add(schema);
  return schema.fields.some((field) => field.message !== undefined && reachesTime(field.message, seen));
}

function checkTimestamp(value: Values, field: string, found: FieldViolation[]): void {
  const time = value as unknown as Timestamp;
  if (isWellFormedTimestamp(time)) return;
  const { seconds, nanos } = time;
  found.push({
    field,
    description: `must have seconds from ${firstSecond} to ${lastSecond} and nanos from 0 to 999999999, not ${seconds} and ${nanos}`,
    rule: "timestamp.well_formed",
  });
}

function checkDuration(value: Values, field: string, found: FieldViolation[]): void {
  const duration = value as unknown as Duration;
  if (isWellFormedDuration(duration)) return;
  const { seconds, nanos } = duration;
  found.push({
    field,
    description: `must have seconds from -${longestSeconds} to ${longestSeconds} and nanos of the same sign up to 999999999, not ${seconds} and ${nanos}`,
    rule: "duration.well_formed",
  });
}
