import { create } from "@bufbuild/protobuf";
import { DayOfWeek, OpeningHoursSchema, validateMessage } from "@petak/protocol";
import { expect, test } from "vitest";
import { everyDay, parseOpeningHours } from "./opening-hours.ts";

/** Periods as `Mo 08:00-22:00`, with the closing day where it is another. */
function shown(text: string): string[] {
  const hours = create(OpeningHoursSchema, parseOpeningHours(text));
  validateMessage(OpeningHoursSchema, hours);
  if (hours.alwaysOpen) return ["always"];
  const time = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
  const day = (number: number) => ["", "Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"][number] ?? "";
  return hours.weekly.map(({ openDay, openMinute, closeDay, closeMinute }) => {
    return `${day(openDay)} ${time(openMinute)}-${closeDay === openDay ? "" : `${day(closeDay)} `}${time(closeMinute)}`;
  });
}

test.each([
  ["24/7", ["always"]],
  ["Mo-Su 00:00-24:00", ["always"]],
  ["00:00-00:00", ["always"]],
  ["Mo 08:00-12:00,14:00-18:00", ["Mo 08:00-12:00", "Mo 14:00-18:00"]],
  ["Mo-We 9:00-17:30; Sa 09.00-13.00; Su off", ["Mo 09:00-17:30", "Tu 09:00-17:30", "We 09:00-17:30", "Sa 09:00-13:00"]],
  ["Mo,We-Th 08:00-20:00, Sa 09:00-13:00", ["Mo 08:00-20:00", "We 08:00-20:00", "Th 08:00-20:00", "Sa 09:00-13:00"]],
  ["Monday – Tuesday 08:00 – 09:00", ["Mo 08:00-09:00", "Tu 08:00-09:00"]],
  ["Sa-Mo 10:00-11:00", ["Mo 10:00-11:00", "Sa 10:00-11:00", "Su 10:00-11:00"]],
  ["Fr 22:00-02:00", ["Fr 22:00-Sa 02:00"]],
  ["Su 22:00-02:00", ["Su 22:00-Mo 02:00"]],
  ["Fr 22:00-24:00", ["Fr 22:00-24:00"]],
])("%j is read", (text, periods) => {
  expect(shown(text)).toEqual(periods);
});

test("hours without days hold every day", () => {
  expect(parseOpeningHours("08:00-22:00")).toEqual(everyDay(8 * 60, 22 * 60));
  expect(create(OpeningHoursSchema, everyDay(0, 1440)).alwaysOpen).toBe(true);
});

test.each([
  ["", /no opening hours/],
  ["always", /"always" is not a day of the week/],
  ["Mo", /a time is missing/],
  ["Mo 08:00", /"08:00" has no closing time/],
  ["Mo 8-20", /"8" is not a time/],
  ["Mo 24:00-25:00", /is not a time of day/],
  ["Mo 08:00-25:00", /"25:00" is not a time of day/],
  ["Mo 08:61-09:00", /"08:61" is not a time of day/],
  ["Xx 08:00-09:00", /"Xx" is not a day/],
])("%j is refused", (text, message) => {
  expect(() => parseOpeningHours(text)).toThrow(message);
});

test("Monday is ISO day 1", () => {
  const hours = create(OpeningHoursSchema, parseOpeningHours("Mo 08:00-09:00"));
  expect(hours.weekly[0]?.openDay).toBe(DayOfWeek.MONDAY);
});
