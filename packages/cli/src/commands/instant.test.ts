import { describe, expect, it, test } from "vitest";
import { instantParser } from "./instant.ts";

const nowMs = Date.parse("2026-11-05T12:00Z");
const parse = instantParser({ now: () => nowMs });

describe("a time on the command line", () => {
  test.each([
    ["2026-11-05T21:30+08:00", "2026-11-05T13:30:00.000Z"],
    ["2026-11-05T21:30:15Z", "2026-11-05T21:30:15.000Z"],
    ["+2h", "2026-11-05T14:00:00.000Z"],
    ["-30m", "2026-11-05T11:30:00.000Z"],
    ["−1d", "2026-11-04T12:00:00.000Z"],
    [" +90 S ", "2026-11-05T12:01:30.000Z"],
  ])("%j is %s", (text, instant) => {
    expect(parse(text).toISOString()).toBe(instant);
  });

  it.each(["2h", "+2", "+2w", "+-2h", "++2h", "2026-11-05T21:30", "tomorrow", "", "2026-13-05T21:30Z"])("is not %j", (text) => {
    expect(() => parse(text)).toThrow(/offset from UTC.*\+2h or -30m/);
  });
});
