import { createRandom, testSeed } from "@petak/testkit";
import { expect, test } from "vitest";
import { offerOf, placeState } from "./offer.ts";
import { nextAt, openStateAt, wallClockMs } from "./open-state.ts";
import { walkMinutes } from "./walk.ts";

/** A time of a site's clock; 28 November 2026 is a Saturday. */
const at = (day: number, hour: number, minute = 0): number => Date.UTC(2026, 10, day, hour, minute);
const weekdays = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"].map((day) => `DAY_OF_WEEK_${day}` as const);

test("a site with hours says when it closes and when it opens next", () => {
  const hours = { weekly: weekdays.map((day) => ({ openDay: day, openMinute: 540, closeDay: day, closeMinute: 1320 })) };
  expect(openStateAt(hours, at(27, 8, 59))).toEqual({ isOpen: false, changesAtWallMs: at(27, 9) });
  expect(openStateAt(hours, at(27, 9))).toEqual({ isOpen: true, changesAtWallMs: at(27, 22) });
  expect(openStateAt(hours, at(27, 22))).toEqual({ isOpen: false, changesAtWallMs: at(30, 9) });
});

test("a period over midnight, and over the end of the week, is one", () => {
  const night = { openDay: "DAY_OF_WEEK_SUNDAY", openMinute: 1200, closeDay: "DAY_OF_WEEK_MONDAY", closeMinute: 360 } as const;
  expect(openStateAt({ weekly: [night] }, at(29, 23))).toEqual({ isOpen: true, changesAtWallMs: at(30, 6) });
  expect(openStateAt({ weekly: [night] }, at(30, 5))).toEqual({ isOpen: true, changesAtWallMs: at(30, 6) });
});

test("an exceptional day replaces the others from midnight to midnight", () => {
  const exceptions = [{ date: { year: 2026, month: 11, day: 29 }, open: [{ openMinute: 600, closeMinute: 720 }] }];
  expect(openStateAt({ alwaysOpen: true, exceptions }, at(28, 12))).toEqual({ isOpen: true, changesAtWallMs: at(29, 0) });
  expect(openStateAt({ alwaysOpen: true, exceptions }, at(29, 11))).toEqual({ isOpen: true, changesAtWallMs: at(29, 12) });
  expect(openStateAt({ alwaysOpen: true, exceptions }, at(29, 13))).toEqual({ isOpen: false, changesAtWallMs: at(30, 0) });
  expect(openStateAt({ alwaysOpen: true }, at(28, 12))).toEqual({ isOpen: true, changesAtWallMs: undefined });
  expect(openStateAt({}, at(28, 12))).toEqual({ isOpen: false, changesAtWallMs: undefined });
});

test("what a state promises holds until the minute before it changes, for any hours", () => {
  const random = createRandom(testSeed());
  const days = [...weekdays, "DAY_OF_WEEK_SATURDAY", "DAY_OF_WEEK_SUNDAY"] as const;
  for (let round = 0; round < 40; round += 1) {
    const weekly = Array.from({ length: random.int(1, 4) }, () => {
      const day = random.int(0, 6);
      const over = random.int(0, 2);
      const openMinute = random.int(0, 1438);
      const closeMinute = over === 0 ? random.int(openMinute + 1, 1440) : random.int(0, 1440);
      return { openDay: days[day], openMinute, closeDay: days[(day + over) % 7], closeMinute };
    });
    const now = at(28, 0) + random.int(0, 10_079) * 60_000;
    const { isOpen, changesAtWallMs } = openStateAt({ weekly }, now);
    if (changesAtWallMs === undefined) continue;
    const minutes = (changesAtWallMs - now) / 60_000;
    const times = [minutes - 1, ...Array.from({ length: 8 }, () => random.int(0, minutes - 1))].map((minute) => now + minute * 60_000);
    expect(new Set(times.map((time) => openStateAt({ weekly }, time).isOpen))).toEqual(new Set([isOpen]));
    expect(openStateAt({ weekly }, changesAtWallMs).isOpen).toBe(!isOpen);
  }
});

test("a site's clock is that of its zone, and a zone that is not known has none", () => {
  const now = Date.UTC(2026, 10, 28, 20, 15);
  expect(wallClockMs("Asia/Singapore", now)).toBe(Date.UTC(2026, 10, 29, 4, 15));
  expect(wallClockMs("Mars/Olympus", now)).toBeUndefined();
});

test("an hour is next today, tomorrow, or now", () => {
  const now = Date.UTC(2026, 10, 28, 6, 30, 20);
  const wall = wallClockMs("Asia/Singapore", now) ?? 0;
  const next = (hour: number, minute: number): string => new Date(nextAt(hour * 60 + minute, wall, now)).toISOString();
  expect([next(14, 31), next(22, 0), next(14, 29), next(0, 0)]).toEqual([
    "2026-11-28T06:31:00.000Z",
    "2026-11-28T14:00:00.000Z",
    "2026-11-29T06:29:00.000Z",
    "2026-11-28T16:00:00.000Z",
  ]);
  expect(nextAt(14 * 60 + 30, wall, now)).toBe(now);
});

test("an offer whose number has expired is unknown, however many were free", () => {
  const site = { siteId: "site_1", name: "A", position: { latitude: 1, longitude: 103 } };
  const offer = offerOf({ site, freeToPromise: 4, observedAt: "2026-11-28T06:00:00Z", ttl: "300s" });
  const atMs = Date.UTC(2026, 10, 28, 6);
  expect(offer && [0, 300_000, 300_001].map((later) => placeState(offer, atMs + later))).toEqual(["free", "free", "unknown"]);
  expect(offer && placeState({ ...offer, free: 0 }, atMs)).toBe("full");
  expect(offerOf({ site })).toBeUndefined();
});

test("minutes on foot are the straight line with a third of detour, at 80 m a minute", () => {
  expect([0, 61, 62, 240, 3690, 3700].map(walkMinutes)).toEqual([1, 1, 2, 4, 60, undefined]);
});
