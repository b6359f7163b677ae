import { create } from "@bufbuild/protobuf";
import { type DayOfWeek, type OpeningHours, OpeningHoursSchema } from "@petak/protocol";
import type { Random } from "@petak/testkit";

/** Random opening hours, realistic and unrealistic: overlapping, across midnight, across the end of the week, several days long. */
export function randomOpeningHours(random: Random, aroundMs: number): OpeningHours {
  const alwaysOpen = random.bool(0.2);
  return create(OpeningHoursSchema, {
    alwaysOpen,
    weekly: alwaysOpen ? [] : Array.from({ length: random.pick([0, 1, 3, 7, 12]) }, () => randomPeriod(random)),
    exceptions: randomDates(random, aroundMs).map((date) => ({
      date,
      open: Array.from({ length: random.int(0, 3) }, () => {
        const openMinute = random.pick([0, 59, 120, 540, 1439, random.int(0, 1439)]);
        return { openMinute, closeMinute: random.pick([1440, random.int(openMinute + 1, 1440)]) };
      }),
    })),
  });
}

function randomPeriod(random: Random) {
  const openDay = random.int(1, 7) as DayOfWeek;
  const openMinute = random.pick([0, 90, 120, 150, 480, 1320, 1439, random.int(0, 1439)]);
  if (random.bool(0.5) && openMinute < 1440) {
    return { openDay, openMinute, closeDay: openDay, closeMinute: random.int(openMinute + 1, 1440) };
  }
  const closeDay = (((openDay % 7) + random.pick([1, 1, 1, 3, 5]) - 1) % 7) + 1;
  const closeMinute = random.pick([0, 1, 120, 150, 1440, random.int(0, 1440)]);
  return { openDay, openMinute, closeDay: (closeDay === openDay ? (openDay % 7) + 1 : closeDay) as DayOfWeek, closeMinute };
}

/** Distinct days within three days of an instant. */
function randomDates(random: Random, aroundMs: number) {
  const days = random.shuffle([-3, -2, -1, 0, 1, 2, 3]).slice(0, random.pick([0, 0, 1, 2, 4]));
  return days.map((offset) => {
    const date = new Date(aroundMs + offset * 86_400_000);
    return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
  });
}
