import type { OpeningHours } from "@petak/protocol";
import type { JsonOf } from "../gateway/json-of.ts";

/** Whether a site is open, and until when that stays so. */
export interface OpenState {
  readonly isOpen: boolean;
  /** When that changes, as the site's clock will show it: ms as if the clock were in UTC. Undefined: not within a week. */
  readonly changesAtWallMs: number | undefined;
}

type Span = readonly [fromMinute: number, toMinute: number];

const dayMs = 86_400_000;
const minuteMs = 60_000;
const dayNames = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"].map((day) => `DAY_OF_WEEK_${day}`);

/** What a site's clock shows at an instant: ms as if the clock were in UTC. Undefined for a zone that the browser does not know. */
export function wallClockMs(timeZone: string, atMs: number): number | undefined {
  try {
    const parts = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
    }).formatToParts(atMs);
    const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
    return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"));
  } catch {
    return undefined;
  }
}

/** When a clock shows a time of day next: now, if it shows it now. In ms. @param minute after midnight @param wallMs what the clock shows at `atMs` */
export function nextAt(minute: number, wallMs: number, atMs: number): number {
  const minutesLeft = (minute - Math.floor((wallMs % dayMs) / minuteMs) + 1440) % 1440;
  return minutesLeft === 0 ? atMs : Math.floor(atMs / minuteMs + minutesLeft) * minuteMs;
}

/** The state of a site at a time of its clock. An exceptional day replaces the weekly periods from midnight to midnight. */
export function openStateAt(hours: JsonOf<OpeningHours>, wallMs: number): OpenState {
  const today = Math.floor(wallMs / dayMs);
  const isOpenAt = (atMs: number, spans: readonly Span[]): boolean => {
    const minute = (atMs % dayMs) / minuteMs;
    return spans.some(([from, to]) => from <= minute && minute < to);
  };
  const isOpen = isOpenAt(wallMs, spansOfDay(hours, today));
  for (let day = today; day <= today + 7; day += 1) {
    const spans = spansOfDay(hours, day);
    const edges = [0, ...spans.flat()].filter((minute) => minute < 1440).map((minute) => day * dayMs + minute * minuteMs);
    const changesAtWallMs = edges.sort((a, b) => a - b).find((edge) => edge > wallMs && isOpenAt(edge, spans) !== isOpen);
    if (changesAtWallMs !== undefined) return { isOpen, changesAtWallMs };
  }
  return { isOpen, changesAtWallMs: undefined };
}

/** When a site is open on a day of its calendar, in minutes after midnight. @param day days since 1970-01-01 */
function spansOfDay({ alwaysOpen, weekly = [], exceptions = [] }: JsonOf<OpeningHours>, day: number): readonly Span[] {
  const date = new Date(day * dayMs);
  const exception = exceptions.find(
    ({ date: on }) => on?.year === date.getUTCFullYear() && on.month === date.getUTCMonth() + 1 && on.day === date.getUTCDate(),
  );
  if (exception !== undefined) return (exception.open ?? []).map(({ openMinute = 0, closeMinute = 0 }) => [openMinute, closeMinute]);
  if (alwaysOpen === true) return [[0, 1440]];
  const weekday = (date.getUTCDay() + 6) % 7;
  return weekly.flatMap(({ openDay = "", openMinute = 0, closeDay = "", closeMinute = 0 }) => {
    const from = dayNames.indexOf(openDay);
    // A period that closes on the day on which it opens closes after it opens.
    const length = (dayNames.indexOf(closeDay) - from + 7) % 7;
    const since = (weekday - from + 7) % 7;
    return from < 0 || since > length ? [] : [[since === 0 ? openMinute : 0, since === length ? closeMinute : 1440] as const];
  });
}
