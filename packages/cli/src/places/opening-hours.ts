import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DayOfWeek, WeeklyPeriodSchema } from "@petak/protocol";

type WeeklyPeriodInit = MessageInitShape<typeof WeeklyPeriodSchema>;

/** Opening hours of a site without exceptional days. */
export type WeeklyHours = { alwaysOpen: true } | { weekly: WeeklyPeriodInit[] };

const dayNames = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

const help = 'write "24/7" or e.g. "Mo-Fr 08:00-20:00, Sa 09:00-13:00; Su off"';

/**
 * Parses opening hours in the usual simple form: `24/7`, or rules such as `Mo-Su 08:00-22:00` and
 * `Mo-Fr 08:00-12:00,14:00-18:00; Sa 09:00-13:00; Su off`. Days are a range or a list; hours without days apply every day; hours
 * that end before they begin end on the next day.
 *
 * @throws {RangeError} with the error and the expected form.
 */
export function parseOpeningHours(text: string): WeeklyHours {
  if (/^\s*(24\s*\/\s*7|24h)\s*$/i.test(text)) return { alwaysOpen: true };
  const tokens = tokenize(text);
  if (tokens.length === 0) throw new RangeError(`no opening hours given: ${help}`);
  const periodsOfDay = new Map<number, WeeklyPeriodInit[]>();
  let next = 0;
  while (next < tokens.length) {
    const days = readDays();
    const spans = readSpans();
    for (const day of days) {
      const periods = spans.map(([open, close]) => period(day, open, close));
      periodsOfDay.set(day, [...(periodsOfDay.get(day) ?? []), ...periods]);
    }
    while (tokens[next] === ";" || tokens[next] === ",") next += 1;
  }
  const byDay = [...periodsOfDay].sort(([a], [b]) => a - b);
  return weeklyHours(byDay.flatMap(([, periods]) => periods));

  function readDays(): number[] {
    const days: number[] = [];
    while (isDayToken(tokens[next])) {
      const first = dayNumber(tokens[next] ?? "");
      next += 1;
      let last = first;
      if (tokens[next] === "-" && isDayToken(tokens[next + 1])) {
        last = dayNumber(tokens[next + 1] ?? "");
        next += 2;
      }
      for (let day = first; ; day = (day + 1) % 7) {
        days.push(day);
        if (day === last) break;
      }
      if (tokens[next] === "," && isDayToken(tokens[next + 1])) next += 1;
    }
    return days.length > 0 ? days : dayNames.map((_, day) => day);
  }

  function readSpans(): [number, number][] {
    if (isOffToken(tokens[next])) {
      next += 1;
      return [];
    }
    const spans: [number, number][] = [];
    for (;;) {
      const open = minuteOfDay(tokens[next], 1439);
      if (tokens[next + 1] !== "-") throw new RangeError(`"${tokens[next] ?? text}" has no closing time after it: ${help}`);
      spans.push([open, minuteOfDay(tokens[next + 2], 1440)]);
      next += 3;
      if (tokens[next] !== "," || !/^\d/.test(tokens[next + 1] ?? "")) return spans;
      next += 1;
    }
  }
}

function tokenize(text: string): string[] {
  const tokens = text.match(/[A-Za-z]+|\d{1,2}[:.]\d{2}|[-–—,;]|[^\s]/g) ?? [];
  return tokens.map((token) => (token === "–" || token === "—" ? "-" : token));
}

function isOffToken(token: string | undefined): boolean {
  return /^(off|closed)$/i.test(token ?? "");
}

function isDayToken(token: string | undefined): boolean {
  return /^[A-Za-z]/.test(token ?? "") && !isOffToken(token);
}

function dayNumber(name: string): number {
  const number = dayNames.findIndex((day) => name.toLowerCase().startsWith(day.toLowerCase()));
  if (number < 0) throw new RangeError(`"${name}" is not a day of the week: ${help}`);
  return number;
}

function minuteOfDay(token: string | undefined, latest: number): number {
  const match = /^(\d{1,2})[:.](\d{2})$/.exec(token ?? "");
  if (match === null) throw new RangeError(`${token === undefined ? "a time is missing" : `"${token}" is not a time`}: ${help}`);
  const minutes = Number(match[1]) * 60 + Number(match[2]);
  if (Number(match[2]) > 59 || minutes > latest) throw new RangeError(`"${token}" is not a time of day: ${help}`);
  return minutes;
}

/** The same hours every day, in minutes; an end that is not after the start is on the next day. */
export function everyDay(openMinute: number, closeMinute: number): WeeklyHours {
  return weeklyHours(dayNames.map((_, day) => period(day, openMinute, closeMinute)));
}

/** The same hours on the listed days, Monday (0) to Sunday (6). */
export function onDays(days: readonly number[], openMinute: number, closeMinute: number): WeeklyPeriodInit[] {
  return days.map((day) => period(day, openMinute, closeMinute));
}

/**
 * Opening hours of weekly periods. Seven whole days become always open.
 */
export function weeklyHours(weekly: WeeklyPeriodInit[]): WeeklyHours {
  const wholeDays = new Set(
    weekly
      .filter(({ openDay, openMinute, closeDay, closeMinute }) => openDay === closeDay && openMinute === 0 && closeMinute === 1440)
      .map(({ openDay }) => openDay),
  );
  return wholeDays.size === 7 ? { alwaysOpen: true } : { weekly };
}

function period(day: number, openMinute: number, closeMinute: number): WeeklyPeriodInit {
  const openDay = isoDay(day);
  if (closeMinute > openMinute) return { openDay, openMinute, closeDay: openDay, closeMinute };
  // 22:00-00:00 ends with the day itself; 22:00-02:00 on the next.
  if (closeMinute === 0) return { openDay, openMinute, closeDay: openDay, closeMinute: 1440 };
  return { openDay, openMinute, closeDay: isoDay(day + 1), closeMinute };
}

function isoDay(day: number): DayOfWeek {
  return ((day % 7) + 1) as DayOfWeek;
}
