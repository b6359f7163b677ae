import { InputError, type InputPlace, show } from "./input-error.ts";

/** How a column writes points in time: ISO 8601 with an offset from UTC, or a number of this unit since 1970-01-01T00:00:00Z. */
export type TimeUnit = "iso" | "ms" | "s" | "min";

const msPer: Record<Exclude<TimeUnit, "iso">, number> = { ms: 1, s: 1000, min: 60_000 };

/** Times beyond these are taken for a wrong unit: the years 2000 to 2100. */
const earliestMs = Date.UTC(2000, 0, 1);
const latestMs = Date.UTC(2100, 0, 1);

/**
 * Parses a time, in ms since 1970.
 *
 * @throws InputError
 */
export function parseTime(cell: string, unit: TimeUnit, place: InputPlace): number {
  const ms = unit === "iso" ? parseIso(cell, place) : Math.round(parseNumber(cell, place) * msPer[unit]);
  if (ms >= earliestMs && ms < latestMs) return ms;
  const guess = unit === "iso" ? "" : `; is it really in ${unit} since 1970?`;
  throw new InputError(place, `the time ${show(cell)} is not between the years 2000 and 2100${guess}`);
}

function parseIso(cell: string, place: InputPlace): number {
  const ms = Date.parse(cell);
  if (/(Z|[+-]\d{2}:\d{2})$/i.test(cell) && !Number.isNaN(ms)) return ms;
  throw new InputError(
    place,
    `${show(cell)} is not a time with an offset from UTC; write e.g. 2026-11-05T21:30:00+08:00, or state the unit`,
  );
}

/**
 * Parses a decimal number with a point.
 *
 * @throws InputError
 */
export function parseNumber(cell: string, place: InputPlace): number {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell)) return Number(cell);
  throw new InputError(place, `${show(cell)} is not a number; write e.g. 1.3521, with a point`);
}

/**
 * Parses a position in degrees.
 *
 * @throws InputError
 */
export function parsePosition(cells: { latitude: string; longitude: string }, place: (axis: "latitude" | "longitude") => InputPlace) {
  const parse = (axis: "latitude" | "longitude", limit: number) => {
    const degrees = parseNumber(cells[axis], place(axis));
    if (Math.abs(degrees) <= limit) return degrees;
    throw new InputError(place(axis), `${show(cells[axis])} is outside -${limit} to ${limit} degrees; are latitude and longitude swapped?`);
  };
  return { latitude: parse("latitude", 90), longitude: parse("longitude", 180) };
}
