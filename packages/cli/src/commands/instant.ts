import { InvalidArgumentError } from "commander";

/** Parses a time with a UTC offset. The offset is required, since this machine's time zone need not be the site's. */
export function parseInstant(text: string): Date {
  const time = new Date(text);
  if (!/(Z|[+-]\d{2}:\d{2})$/i.test(text.trim()) || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError("write date, time and offset from UTC, e.g. 2026-11-05T21:30+08:00.");
  }
  return time;
}
