import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type DayOfWeek, OpeningHoursSchema, type WeeklyPeriodSchema } from "@petak/protocol";
import { expect, it } from "vitest";
import { osmHours } from "./osm-hours.ts";

const week = (openMinute: number, closeMinute: number, ...days: DayOfWeek[]): MessageInitShape<typeof WeeklyPeriodSchema>[] =>
  days.map((day) => ({ openDay: day, openMinute, closeDay: day, closeMinute }));

const cases: [string, MessageInitShape<typeof OpeningHoursSchema>][] = [
  ["24/7", { alwaysOpen: true }],
  ["24/7; 2026 Dec 25 off", { alwaysOpen: true, exceptions: [{ date: { year: 2026, month: 12, day: 25 } }] }],
  ["off", {}],
  ["Mo-Fr 08:00-20:00; Sa 09:00-13:00", { weekly: [...week(480, 1200, 1, 2, 3, 4, 5), ...week(540, 780, 6)] }],
  ["Mo 08:00-12:00,13:00-18:00; We 08:00-12:00", { weekly: [...week(780, 1080, 1), ...week(480, 720, 1, 3)] }],
  ["Su 00:00-24:00", { weekly: week(0, 1440, 7) }],
  ["Fr 22:00-02:00", { weekly: [{ openDay: 5, openMinute: 1320, closeDay: 6, closeMinute: 120 }] }],
  ["Su 22:00-06:00", { weekly: [{ openDay: 7, openMinute: 1320, closeDay: 1, closeMinute: 360 }] }],
  ["Mo 08:00-24:00; Tu-We 00:00-24:00; Th 00:00-06:00", { weekly: [{ openDay: 1, openMinute: 480, closeDay: 4, closeMinute: 360 }] }],
  [
    "Mo 09:00-17:00; 2027 Jan 01 10:00-12:00,14:00-16:00",
    {
      weekly: week(540, 1020, 1),
      exceptions: [
        {
          date: { year: 2027, month: 1, day: 1 },
          open: [
            { openMinute: 600, closeMinute: 720 },
            { openMinute: 840, closeMinute: 960 },
          ],
        },
      ],
    },
  ],
];

it.each(cases)("writes %s as OpenStreetMap does", (written, hours) => {
  expect(osmHours(create(OpeningHoursSchema, hours))).toBe(written);
});
