import { create } from "@bufbuild/protobuf";
import { DayOfWeek, OpeningHoursSchema } from "@petak/protocol";
import { expect, test } from "vitest";
import { weeklyText } from "./weekly-text.ts";

const { MONDAY, TUESDAY, WEDNESDAY, FRIDAY, SATURDAY } = DayOfWeek;
const on = (openDay: DayOfWeek, openMinute: number, closeMinute: number, closeDay = openDay) => ({
  openDay,
  openMinute,
  closeDay,
  closeMinute,
});

test("opening hours are told in a line, days with the same hours together", () => {
  const weekly = [
    ...[MONDAY, TUESDAY, WEDNESDAY].flatMap((day) => [on(day, 480, 720), on(day, 780, 1320)]),
    on(FRIDAY, 1200, 120, SATURDAY),
  ];
  expect(weeklyText(create(OpeningHoursSchema, { weekly }))).toBe(
    "Monday to Wednesday 08:00-12:00, Monday to Wednesday 13:00-22:00, Friday 20:00-Saturday 02:00",
  );
  const exceptions = [{ date: { year: 2026, month: 12, day: 25 }, open: [] }];
  expect(weeklyText(create(OpeningHoursSchema, { alwaysOpen: true, exceptions }))).toBe("always, and other hours on 1 day");
  expect(weeklyText(create(OpeningHoursSchema))).toBe("never");
});
