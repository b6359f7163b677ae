import { DayOfWeek, type OpeningHours, type WeeklyPeriod } from "@petak/protocol";
import { clockText } from "../stores/local-time.ts";

/** Opening hours in a line: `Monday to Friday 08:00-22:00, Saturday 10:00-18:00`. Exceptional days are only counted. */
export function weeklyText({ alwaysOpen, weekly, exceptions }: OpeningHours): string {
  const days = exceptions.length === 0 ? "" : `, and other hours on ${exceptions.length} ${exceptions.length === 1 ? "day" : "days"}`;
  if (alwaysOpen) return `always${days}`;
  const runs: { first: DayOfWeek; last: DayOfWeek; hours: string }[] = [];
  for (const period of [...weekly].sort((one, other) => one.openDay - other.openDay || one.openMinute - other.openMinute)) {
    const [run, hours] = [runs.findLast((earlier) => earlier.hours === hoursOf(period)), hoursOf(period)];
    if (run !== undefined && run.last + 1 === period.openDay) run.last = period.openDay;
    else runs.push({ first: period.openDay, last: period.openDay, hours });
  }
  const text = runs.map(
    ({ first, last, hours }) => `${first === last ? dayName(first) : `${dayName(first)} to ${dayName(last)}`} ${hours}`,
  );
  return `${text.join(", ") || "never"}${days}`;
}

/** The hours of a period; the day is named where it ends on another day than the next midnight's. */
function hoursOf({ openDay, openMinute, closeDay, closeMinute }: WeeklyPeriod): string {
  const isSameDay = openDay === closeDay && closeMinute > openMinute;
  return `${clockText(openMinute)}-${isSameDay ? "" : `${dayName(closeDay)} `}${clockText(closeMinute)}`;
}

function dayName(day: DayOfWeek): string {
  const [name = String(day)] = Object.entries(DayOfWeek).find(([, value]) => value === day) ?? [];
  return `${name.charAt(0)}${name.slice(1).toLowerCase()}`;
}
