import { InvalidArgumentError } from "commander";
import type { CliIo } from "../session.ts";
import { durationOf } from "./duration.ts";

/** A time as it is written, which becomes an instant by the one that it may be relative to, in ms since 1970. */
export type WrittenTime = (fromMs: number) => Date;

/**
 * Parses a time with a UTC offset, or a duration with its sign, `+2h` or `-30m`. The offset is required, since this machine's time zone need not be the site's; the
 * sign too, since `2h` would mean the past for one option and the future for another.
 */
export function parseTime(text: string): WrittenTime {
  const [, sign, length = ""] = /^([+−-])(\d.*)$/.exec(text.trim()) ?? [];
  const ms = durationOf(length);
  if (sign !== undefined && ms !== undefined) return (fromMs) => new Date(sign === "+" ? fromMs + ms : fromMs - ms);
  const time = new Date(text);
  if (!/(Z|[+-]\d{2}:\d{2})$/i.test(text.trim()) || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError(
      "write date, time and offset from UTC, e.g. 2026-11-05T21:30+08:00, or how far off it is, with a sign, e.g. +2h or -30m.",
    );
  }
  return () => time;
}

/** Returns a parser of instants: what is relative is from now. */
export function instantParser({ now }: Pick<CliIo, "now">): (text: string) => Date {
  return (text) => parseTime(text)(now());
}
