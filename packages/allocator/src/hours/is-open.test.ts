import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { DayOfWeek, OpeningHoursSchema } from "@petak/protocol";
import { createRandom, roundsHere, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { isOpenAt, openMsWithin } from "./is-open.ts";
import { decodeOpeningTimes, encodeOpeningTimes, isAlwaysOpen, openingTimes } from "./opening-times.ts";
import { randomOpeningHours } from "./testing/random-hours.ts";
import { isOpenByTheClock, openMsByTheClock } from "./testing/wall-clock.ts";

/** Zones with unusual transitions, each with an instant near one. */
const awkward: [timeZone: string, near: string][] = [
  ["Europe/Berlin", "2026-03-29T01:00Z"],
  ["Europe/Berlin", "2026-10-25T01:00Z"],
  ["America/New_York", "2026-03-08T07:00Z"],
  ["America/New_York", "2026-11-01T06:00Z"],
  // Daylight saving of half an hour.
  ["Australia/Lord_Howe", "2026-04-04T15:00Z"],
  ["Australia/Lord_Howe", "2026-10-03T15:30Z"],
  // Daylight saving of two hours.
  ["Antarctica/Troll", "2026-03-29T01:00Z"],
  // Transitions at midnight: days that begin at 01:00 or whose last hour repeats.
  ["America/Havana", "2026-03-08T05:00Z"],
  ["America/Havana", "2026-11-01T05:00Z"],
  ["Asia/Beirut", "2026-03-28T22:00Z"],
  // A skipped calendar day, and permanent changes of offset.
  ["Pacific/Apia", "2011-12-30T10:00Z"],
  ["America/Caracas", "2016-05-01T07:00Z"],
  ["Asia/Pyongyang", "2018-05-04T15:00Z"],
  // Standard time in Ramadan.
  ["Africa/Casablanca", "2026-02-15T02:00Z"],
  ["Africa/Casablanca", "2026-03-22T02:00Z"],
  ["Asia/Kathmandu", "2026-06-01T00:00Z"],
  ["Pacific/Kiritimati", "2026-12-31T12:00Z"],
  ["Pacific/Pago_Pago", "2026-12-31T12:00Z"],
  ["Asia/Singapore", "2028-02-29T00:00Z"],
];

const minuteMs = 60_000;
const hourMs = 3_600_000;

const timesOf = (timeZone: string, hours: MessageInitShape<typeof OpeningHoursSchema>) =>
  decodeOpeningTimes(encodeOpeningTimes(openingTimes(timeZone, create(OpeningHoursSchema, hours))));

describe("opening hours", () => {
  it("agree with local time checked every minute, across all transitions", () => {
    const random = createRandom(testSeed());
    const rounds = roundsHere({ short: 300, ci: 2000 });
    for (let round = 0; round < rounds; round++) {
      const [timeZone, near] = random.pick(awkward);
      const nearMs = Date.parse(near);
      const hours = randomOpeningHours(random, nearMs);
      const times = decodeOpeningTimes(encodeOpeningTimes(openingTimes(timeZone, hours)));
      const shown = JSON.stringify({ round, timeZone, near, hours });
      for (let look = 0; look < 20; look++) {
        const atMs = nearMs + random.int(-40 * hourMs, 40 * hourMs);
        expect(isOpenAt(times, atMs), `${new Date(atMs).toISOString()} ${shown}`).toBe(isOpenByTheClock(timeZone, hours, atMs));
      }
      const fromMs = nearMs + random.int(-2400, 60) * minuteMs;
      const toMs = fromMs + random.pick([1, 30, 600, 1500]) * minuteMs;
      const window = `${new Date(fromMs).toISOString()} ${new Date(toMs).toISOString()} ${shown}`;
      expect(openMsWithin(times, fromMs, toMs), window).toBe(openMsByTheClock(timeZone, hours, fromMs, toMs));
      if (isAlwaysOpen(times)) expect(openMsWithin(times, fromMs, toMs), window).toBe(toMs - fromMs);
    }
  });

  it("support every zone of the runtime", () => {
    const random = createRandom(testSeed());
    const hours = create(OpeningHoursSchema, {
      weekly: [1, 2, 3, 4, 5, 6, 7].map((day) => ({
        openDay: day as DayOfWeek,
        openMinute: 480,
        closeDay: day as DayOfWeek,
        closeMinute: 1200,
      })),
    });
    for (const timeZone of Intl.supportedValuesOf("timeZone")) {
      const times = openingTimes(timeZone, hours);
      for (let look = 0; look < 20; look++) {
        const atMs = random.int(Date.parse("2000-01-01") / 1000, Date.parse("2037-12-31") / 1000) * 1000;
        expect(isOpenAt(times, atMs), `${timeZone} ${new Date(atMs).toISOString()}`).toBe(isOpenByTheClock(timeZone, hours, atMs));
      }
    }
  });

  it("are counted to the millisecond", () => {
    const times = timesOf("Asia/Singapore", {
      weekly: [{ openDay: DayOfWeek.THURSDAY, openMinute: 540, closeDay: DayOfWeek.THURSDAY, closeMinute: 1020 }],
    });
    const opensMs = Date.parse("2026-11-05T09:00+08:00");
    const closesMs = Date.parse("2026-11-05T17:00+08:00");
    expect([opensMs - 1, opensMs, closesMs - 1, closesMs].map((atMs) => isOpenAt(times, atMs))).toEqual([false, true, true, false]);
    expect(openMsWithin(times, opensMs - 5, opensMs + 7)).toBe(7);
    expect(openMsWithin(times, opensMs - 30 * 86_400_000, closesMs)).toBe(5 * 8 * hourMs);
  });

  it("count a repeated hour twice and a skipped hour not at all", () => {
    const nightly = { openDay: DayOfWeek.SUNDAY, openMinute: 120, closeDay: DayOfWeek.SUNDAY, closeMinute: 180 };
    const times = timesOf("Europe/Berlin", { weekly: [nightly] });
    const within = (day: string) => openMsWithin(times, Date.parse(`${day}T00:00Z`) - 12 * hourMs, Date.parse(`${day}T12:00Z`));
    expect([within("2026-03-29"), within("2026-10-25"), within("2026-11-01")]).toEqual([0, 2 * hourMs, hourMs]);
  });

  it("apply an exception to its own day only, even if a period continues after midnight", () => {
    const times = timesOf("Asia/Singapore", {
      weekly: [{ openDay: DayOfWeek.FRIDAY, openMinute: 1320, closeDay: DayOfWeek.SATURDAY, closeMinute: 120 }],
      exceptions: [{ date: { year: 2026, month: 11, day: 6 }, open: [] }],
    });
    const isOpen = (at: string) => isOpenAt(times, Date.parse(`${at}+08:00`));
    expect([isOpen("2026-11-06T23:00"), isOpen("2026-11-07T01:00"), isOpen("2026-11-13T23:00")]).toEqual([false, true, true]);
  });

  it("have one form for equal hours, and recognise sites that are always open", () => {
    const day = (openMinute: number, closeMinute: number) => ({
      openDay: DayOfWeek.MONDAY,
      openMinute,
      closeDay: DayOfWeek.MONDAY,
      closeMinute,
    });
    const form = (...weekly: ReturnType<typeof day>[]) => encodeOpeningTimes(timesOf("Asia/Singapore", { weekly })).toString();
    expect(form(day(600, 720), day(480, 600))).toBe(form(day(480, 720)));
    expect(form(day(480, 700), day(500, 720), day(490, 500))).toBe(form(day(480, 720)));
    expect(form(day(480, 720))).not.toBe(form(day(480, 721)));
    const week = { openDay: DayOfWeek.TUESDAY, openMinute: 0, closeDay: DayOfWeek.MONDAY, closeMinute: 1440 };
    expect(isAlwaysOpen(timesOf("Asia/Singapore", { weekly: [week] }))).toBe(true);
    expect(isAlwaysOpen(timesOf("Asia/Singapore", { alwaysOpen: true }))).toBe(true);
    const closedOnce = { date: { year: 2026, month: 12, day: 25 }, open: [] };
    expect(isAlwaysOpen(timesOf("Asia/Singapore", { alwaysOpen: true, exceptions: [closedOnce] }))).toBe(false);
  });

  it("are never open in an unknown zone", () => {
    const times = timesOf("Atlantis/Capital", { weekly: [], alwaysOpen: true });
    expect(isOpenAt(times, 0)).toBe(false);
    expect(openMsWithin(times, 0, hourMs)).toBe(0);
  });
});
