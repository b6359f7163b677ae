import type { OpeningHours } from "@petak/protocol";

const days = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"] as const;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;
const dayMinutes = 1440;

/** Opening hours as OpenStreetMap writes them in `opening_hours`, e.g. `Mo-Fr 08:00-20:00; Sa 09:00-02:00; 2026 Dec 25 off`. */
export function osmHours({ alwaysOpen, weekly, exceptions }: OpeningHours): string {
  const usual = alwaysOpen ? ["24/7"] : weeklyRules(weekly);
  const special = exceptions.map(({ date, open }) => {
    const spans = open.map(({ openMinute, closeMinute }) => span(openMinute, closeMinute)).join(",");
    return `${date?.year} ${months[(date?.month ?? 1) - 1]} ${String(date?.day).padStart(2, "0")} ${spans === "" ? "off" : spans}`;
  });
  const rules = [...usual, ...special];
  return rules.length === 0 ? "off" : rules.join("; ");
}

function weeklyRules(weekly: OpeningHours["weekly"]): string[] {
  const byDay: string[][] = days.map(() => []);
  for (const { openDay, openMinute, closeDay, closeMinute } of weekly) {
    const passed = (closeDay - openDay) * dayMinutes + closeMinute - openMinute;
    let left = passed > 0 ? passed : passed + 7 * dayMinutes;
    // What lasts over more than one midnight is written day by day.
    for (let [day, begin] = [openDay - 1, openMinute]; left > 0; ) {
      const lasting = begin + left <= 2 * dayMinutes && begin > 0 ? left : Math.min(left, dayMinutes - begin);
      byDay[day]?.push(span(begin, begin + lasting));
      left -= lasting;
      [day, begin] = [(day + 1) % 7, 0];
    }
  }
  const rules: string[] = [];
  for (let first = 0; first < days.length; ) {
    const spans = byDay[first]?.toSorted().join(",") ?? "";
    let last = first;
    while (last + 1 < days.length && byDay[last + 1]?.toSorted().join(",") === spans) last += 1;
    if (spans !== "") rules.push(`${days[first]}${last === first ? "" : `-${days[last]}`} ${spans}`);
    first = last + 1;
  }
  return rules;
}

function span(begin: number, end: number): string {
  return `${clock(begin)}-${clock(end > dayMinutes ? end - dayMinutes : end)}`;
}

function clock(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}
