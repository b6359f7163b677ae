import { create } from "@bufbuild/protobuf";
import { type OpeningHours, OpeningHoursSchema } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { parseOpeningHours } from "../places/opening-hours.ts";
import { asInTheWeek, closingAt, hoursOn } from "./hours-of-day.ts";
import { clockText, localTime } from "./local-time.ts";

/** A Saturday. */
const date = { year: 2026, month: 11, day: 28 };
const sunday = { ...date, day: 29 };
const hoursOf = (text: string): OpeningHours => create(OpeningHoursSchema, parseOpeningHours(text));
const shown = (hours: OpeningHours, on = date) =>
  hoursOn(hours, on).map(({ openMinute, closeMinute }) => `${clockText(openMinute)}-${clockText(closeMinute)}`);

describe("the hours of a date", () => {
  it("are those of its day of the week, with what has begun the evening before", () => {
    expect(shown(hoursOf("Mo-Fr 08:00-20:00, Sa 09:00-13:00,14:00-18:00"))).toEqual(["09:00-13:00", "14:00-18:00"]);
    expect(shown(hoursOf("Mo-Fr 08:00-20:00"))).toEqual([]);
    expect(shown(hoursOf("Mo-Su 18:00-02:00"))).toEqual(["00:00-02:00", "18:00-24:00"]);
    expect(shown(hoursOf("24/7"))).toEqual(["00:00-24:00"]);
    expect(shown(hoursOf("Su 22:00-02:00"), sunday)).toEqual(["22:00-24:00"]);
    expect(shown(hoursOf("Su 22:00-02:00"), { ...date, day: 30 })).toEqual(["00:00-02:00"]);
  });

  it("end at a time on that date alone, as often as it is said, and are those of the week again", () => {
    const week = hoursOf("Mo-Su 08:00-12:00,13:00-22:00");
    const early = closingAt(closingAt(week, date, 20 * 60), date, 18 * 60);
    expect(shown(early)).toEqual(["08:00-12:00", "13:00-18:00"]);
    expect(shown(early, sunday)).toEqual(["08:00-12:00", "13:00-22:00"]);
    expect(shown(closingAt(week, date, 12 * 60 + 30))).toEqual(["08:00-12:00"]);
    expect(shown(closingAt(week, date, 8 * 60))).toEqual([]);
    expect(shown(closingAt(hoursOf("24/7"), date, 18 * 60))).toEqual(["00:00-18:00"]);
    expect(asInTheWeek(early, date)).toEqual(week);
  });

  it("of a date that is over leave the list, and those to come stay", () => {
    const evenings = closingAt(closingAt(hoursOf("24/7"), { ...date, day: 27 }, 60), sunday, 60);
    expect(closingAt(evenings, date, 60).exceptions.map((one) => one.date?.day)).toEqual([29, 28]);
  });
});

it("the time at a site is that of its time zone", () => {
  const ms = Date.UTC(2026, 10, 30, 17, 5);
  expect(localTime("Asia/Singapore", ms)).toEqual({ year: 2026, month: 12, day: 1, minute: 65 });
  expect(localTime("No/Where", ms)).toEqual({ year: 2026, month: 11, day: 30, minute: 17 * 60 + 5 });
});
