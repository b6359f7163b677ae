import { create } from "@bufbuild/protobuf";
import {
  type ExceptionalDay,
  ExceptionalDaySchema,
  type MinuteRange,
  MinuteRangeSchema,
  type OpeningHours,
  OpeningHoursSchema,
} from "@petak/protocol";
import type { LocalTime } from "./local-time.ts";

/** A date at a site. */
export type LocalDay = Pick<LocalTime, "year" | "month" | "day">;

type Span = Pick<MinuteRange, "openMinute" | "closeMinute">;

const dayMinutes = 1440;
const weekMinutes = 7 * dayMinutes;

/** When a site is open on a date, in minutes after midnight, in order. Periods that touch are one. */
export function hoursOn(hours: OpeningHours | undefined, date: LocalDay): Span[] {
  if (hours === undefined) return [];
  const exception = hours.exceptions.find(isOn(date));
  if (exception !== undefined) return joined(exception.open);
  return hours.alwaysOpen ? [{ openMinute: 0, closeMinute: dayMinutes }] : joined(weeklyOn(hours, date));
}

/**
 * Opening hours that end at a minute of a date, and are as before on all others. Dates of the past are left out, so that a year of such evenings
 * does not fill the list.
 */
export function closingAt(hours: OpeningHours, date: LocalDay, minute: number): OpeningHours {
  const open = hoursOn(hours, date)
    .filter(({ openMinute }) => openMinute < minute)
    .map(({ openMinute, closeMinute }) => create(MinuteRangeSchema, { openMinute, closeMinute: Math.min(closeMinute, minute) }));
  const today = create(ExceptionalDaySchema, { date, open });
  return create(OpeningHoursSchema, { ...hours, exceptions: [...withoutDay(hours, date), today] });
}

/** Opening hours without special ones on a date: those of the week. */
export function asInTheWeek(hours: OpeningHours, date: LocalDay): OpeningHours {
  return create(OpeningHoursSchema, { ...hours, exceptions: withoutDay(hours, date) });
}

function withoutDay({ exceptions }: OpeningHours, date: LocalDay): ExceptionalDay[] {
  return exceptions.filter((one) => !isOn(date)(one) && !isBefore(one, date));
}

const isOn =
  ({ year, month, day }: LocalDay) =>
  ({ date }: ExceptionalDay) =>
    date?.year === year && date.month === month && date.day === day;

function isBefore({ date: of }: ExceptionalDay, { year, month, day }: LocalDay): boolean {
  return of !== undefined && Date.UTC(of.year, of.month - 1, of.day) < Date.UTC(year, month - 1, day);
}

/** The part of the weekly periods that is on a date. */
function weeklyOn({ weekly }: OpeningHours, { year, month, day }: LocalDay): Span[] {
  // From Monday, as in ISO 8601.
  const weekday = (new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7;
  const from = weekday * dayMinutes;
  return weekly.flatMap(({ openDay, openMinute, closeDay, closeMinute }) => {
    const opens = (openDay - 1) * dayMinutes + openMinute;
    const closes = (closeDay - 1) * dayMinutes + closeMinute;
    const lasts = closes > opens ? closes - opens : closes - opens + weekMinutes;
    // A period may have begun in the week before.
    return [opens, opens - weekMinutes].flatMap((start) => {
      const [first, last] = [Math.max(0, start - from), Math.min(dayMinutes, start + lasts - from)];
      return first < last ? [{ openMinute: first, closeMinute: last }] : [];
    });
  });
}

function joined(spans: readonly Span[]): Span[] {
  const found: Span[] = [];
  for (const { openMinute, closeMinute } of spans.toSorted((one, other) => one.openMinute - other.openMinute)) {
    const last = found.at(-1);
    if (last === undefined || openMinute > last.closeMinute) found.push({ openMinute, closeMinute });
    else found.splice(-1, 1, { openMinute: last.openMinute, closeMinute: Math.max(last.closeMinute, closeMinute) });
  }
  return found;
}
