import { InvalidArgumentError } from "commander";

/** Reads an instant of the command line. Without an offset it would be this machine's time, and not that of whom it is about. */
export function parseInstant(text: string): Date {
  const time = new Date(text);
  if (!/(Z|[+-]\d{2}:\d{2})$/i.test(text.trim()) || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError("write date, time and offset from UTC, e.g. 2026-11-05T21:30+08:00.");
  }
  return time;
}
