import type { Duration } from "@bufbuild/protobuf/wkt";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { InvalidArgumentError } from "commander";

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A whole number of seconds, minutes, hours or days, e.g. `15m`, in ms. Undefined: it is none. */
export function durationOf(text: string): number | undefined {
  const [, count, unit = ""] = /^(\d{1,6})\s*([smhd])$/.exec(text.trim().toLowerCase()) ?? [];
  return count === undefined ? undefined : Number(count) * (unitMs[unit] ?? 0);
}

/** Parses a whole number of seconds, minutes, hours or days, e.g. `15m`. */
export function parseDuration(text: string): Duration {
  const ms = durationOf(text);
  if (ms === undefined) throw new InvalidArgumentError("write a whole number with its unit, s, m, h or d, e.g. 15m.");
  return durationFromMs(ms);
}
