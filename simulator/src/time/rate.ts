import { localClock } from "./local-time.ts";
import type { WeekShape } from "./week-shape.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Offsets from UTC are multiples of this in all time zones of today. */
const stepMs = hourMs / 4;

/** A rate of arrivals over a period: continuous but for jumps, and linear between them. */
export interface Rate {
  /** Length of the period in ms. */
  readonly durationMs: number;
  /** The expected number of arrivals in the period: the integral of the rate. */
  readonly total: number;
  /** The time, in ms from the start, before which `expected` arrivals are expected. @param expected from 0 to `total` */
  timeOf(expected: number): number;
}

/** A piece in which the rate is linear. */
interface Piece {
  readonly fromMs: number;
  readonly lengthMs: number;
  /** Rate at its start and end, per ms. */
  readonly first: number;
  readonly last: number;
  /** The integral up to its start. */
  readonly before: number;
}

/**
 * The rate by which an ordinary week, of seven days of 24 hours without sales, has exactly `perWeek` arrivals.
 *
 * @param startMs start of the period, in ms since 1970
 * @throws RangeError if the shape is not 24 and 7 numbers of at least 0 with something above it
 */
export function weeklyRate(period: { startMs: number; durationMs: number; timeZone: string }, perWeek: number, shape: WeekShape): Rate {
  checkShape(shape);
  const scale = perWeek / (sumOf(shape.hours) * sumOf(shape.days) * hourMs);
  const toLocalMs = localClock(period.timeZone);
  const pieces: Piece[] = [];
  let before = 0;
  for (let fromMs = 0; fromMs < period.durationMs; ) {
    const at = period.startMs + fromMs;
    const lengthMs = Math.min((Math.floor(at / stepMs) + 1) * stepMs - at, period.durationMs - fromMs);
    const localMs = toLocalMs(at);
    const factor = scale * dayFactor(localMs, shape);
    const first = factor * hourFactor(localMs % dayMs, shape);
    const last = factor * hourFactor((localMs % dayMs) + lengthMs, shape);
    pieces.push({ fromMs, lengthMs, first, last, before });
    before += ((first + last) / 2) * lengthMs;
    fromMs += lengthMs;
  }
  return { durationMs: period.durationMs, total: before, timeOf: (expected) => timeOf(pieces, expected) };
}

function checkShape({ hours, days, saleDays }: WeekShape): void {
  const isRight = (numbers: readonly number[]) => numbers.every((number) => Number.isFinite(number) && number >= 0);
  if (hours.length !== 24 || !isRight(hours) || sumOf(hours) === 0) throw new RangeError("a day has 24 rates of at least 0, not all 0");
  if (days.length !== 7 || !isRight(days) || sumOf(days) === 0) throw new RangeError("a week has 7 factors of at least 0, not all 0");
  for (const [day, factor] of Object.entries(saleDays)) {
    if (!/^([1-9]|1[0-2])-([1-9]|[12]\d|3[01])$/.test(day)) throw new RangeError(`a sale day is a month and a day, e.g. 11-11, not ${day}`);
    if (!isRight([factor])) throw new RangeError(`the factor of a sale day is at least 0, not ${factor}`);
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function dayFactor(localMs: number, { days, saleDays }: WeekShape): number {
  const date = new Date(localMs);
  const weekday = (date.getUTCDay() + 6) % 7;
  return (days[weekday] as number) * (saleDays[`${date.getUTCMonth() + 1}-${date.getUTCDate()}`] ?? 1);
}

/** @param inDayMs from 0 to 24 h, inclusive */
function hourFactor(inDayMs: number, { hours }: WeekShape): number {
  const hour = Math.floor(inDayMs / hourMs);
  const share = inDayMs / hourMs - hour;
  return (hours[hour % 24] as number) * (1 - share) + (hours[(hour + 1) % 24] as number) * share;
}

function timeOf(pieces: readonly Piece[], expected: number): number {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((pieces[middle] as Piece).before <= expected) low = middle;
    else high = middle - 1;
  }
  const { fromMs, lengthMs, first, last, before } = pieces[low] as Piece;
  const rest = expected - before;
  if (rest <= 0) return fromMs;
  // The smaller root of first·t + slope·t²/2 = rest, in the form that does not cancel.
  const slope = (last - first) / lengthMs;
  const root = Math.sqrt(Math.max(0, first * first + 2 * slope * rest));
  return fromMs + Math.min(lengthMs, (2 * rest) / (first + root));
}
