import type { OpeningHours } from "@petak/protocol";

const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const clock = (minute: number): string => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

/** When a place is open, a line for each run of equal days and for each exceptional day, by the place's own clock. */
export function hoursLines({ alwaysOpen, weekly, exceptions }: OpeningHours): { when: string; open: string }[] {
  const lines: { first: string; last: string; open: string }[] = [];
  for (const [index, name] of days.entries()) {
    const periods = weekly.filter(({ openDay }) => openDay === index + 1).toSorted((one, other) => one.openMinute - other.openMinute);
    const open = periods.map(({ openMinute, closeMinute }) => `${clock(openMinute)}–${clock(closeMinute)}`).join(", ") || "closed";
    const line = lines.at(-1);
    if (line?.open === open) line.last = name;
    else lines.push({ first: name, last: name, open });
  }
  const ordinary = alwaysOpen
    ? [{ when: "Every day", open: "day and night" }]
    : lines.map(({ first, last, open }) => ({ when: first === last ? first : `${first}–${last}`, open }));
  const exceptional = exceptions.map(({ date, open }) => ({
    when: `${date?.year}-${String(date?.month).padStart(2, "0")}-${String(date?.day).padStart(2, "0")}`,
    open: open.map(({ openMinute, closeMinute }) => `${clock(openMinute)}–${clock(closeMinute)}`).join(", ") || "closed",
  }));
  return [...ordinary, ...exceptional];
}
