import { createRandom, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { InputError } from "../input/input-error.ts";
import type { Observation } from "../observe/observation.ts";
import { figures } from "./figures.ts";
import { createMeasure } from "./measure.ts";
import { judgeThreshold, parseThreshold } from "./threshold.ts";

/** 100 calls of find of 1 to 100 ms, of which ten are refused and one fails; 4 of 200 intentions are dropped. */
function run() {
  const measure = createMeasure();
  const observe = (observation: Observation) => measure.observe(observation);
  observe({ kind: "late", intention: 1, dueMs: 0, sentMs: 15 });
  for (let number = 1; number <= 196; number++) {
    const outcome = number === 100 ? "INTERNAL" : number > 89 && number < 100 ? "NO_PLACE_FREE" : "OK";
    const operation = number <= 100 ? "find" : "read";
    observe({ kind: "call", intention: number, operation, atMs: 0, dueMs: 0, sentMs: 0, doneMs: number, outcome });
  }
  const ended = { kind: "ended", atMs: 0, latitude: 0, longitude: 0, askedAtMs: 0, isRedirected: false } as const;
  for (let number = 197; number <= 200; number++) observe({ ...ended, intention: number, end: "dropped" });
  for (let number = 1; number <= 20; number++) observe({ ...ended, intention: number, end: number === 1 ? "refused" : "collected" });
  return measure.summary();
}

describe("a threshold", () => {
  const summary = run();

  it.each([
    ["find.p99<100ms", true, 99],
    ["find.p99<99ms", false, 99],
    ["find.p99 <= 0.1 s", true, 99],
    ["find.p50>=50000us", true, 50],
    ["find.max<1min", true, 100],
    ["find.ok.max<90ms", true, 89],
    ["find.refused==10", true, 10],
    ["find.refused<=10%", true, 10],
    ["find.failed<1%", false, 1],
    ["find.failed<1.1%", true, 1],
    ["calls.ok>94%", true, (185 / 196) * 100],
    ["sent>=98%", true, 98],
    ["dropped<1%", false, 2],
    ["dropped<5", true, 4],
    ["late<=1", true, 1],
    ["late.p99<20ms", true, 0],
    ["late.max<20ms", true, 15],
    ["met>=95%", true, 95],
    ["unmet==1", true, 1],
    ["violations==0", true, 0],
  ])("%s is met: %s", (text, isMet, value) => {
    expect(judgeThreshold(parseThreshold(text), summary)).toMatchObject({ text, isMet, value: expect.closeTo(value, 1) });
  });

  it("about what did not happen is not met", () => {
    for (const text of ["reserve.p99<1s", "reserve.failed<1%", "find.ok.p99<1s", "dropped<100%", "met>0%", "late.p99<1s"]) {
      expect(judgeThreshold(parseThreshold(text), createMeasure().summary())).toMatchObject({ value: null, isMet: false });
    }
  });
});

describe("a threshold that is wrong", () => {
  it.each([
    ["", "it is not FIGURE COMPARISON VALUE, as in find.p99<50ms; comparisons are < <= > >= =="],
    ["find.p99", "it is not FIGURE COMPARISON VALUE"],
    ["find.p99=50ms", "it is not FIGURE COMPARISON VALUE"],
    ["find.p99<-1ms", "it is not FIGURE COMPARISON VALUE"],
    ["find.p99<1e3ms", "it is not FIGURE COMPARISON VALUE"],
    ["find.p99<50h", "it is not FIGURE COMPARISON VALUE"],
    ["finds.p99<50ms", "there is no figure finds.p99; there are calls.ok, "],
    ["find.p95<50ms", "violations, and p50, p90, p99, p99.9, max, ok, refused, failed of each of find, reserve, "],
    ["constructor<1", "availability, as in find.p99 or find.ok.p99"],
    ["find.p99<50", "find.p99 is a time, so its limit needs one of the units us, ms, s, min, as in find.p99<50ms"],
    ["late.max<5%", "late.max is a time"],
    ["dropped<101%", "101 % is more than all; a share is from 0% to 100%"],
    ["dropped<5ms", "dropped is a count, so its limit is a whole number, or a share with %, as in dropped<10"],
    ["violations<1%", "violations is a count, so its limit is a whole number, as in violations<10"],
    ["violations<0.5", "violations is a count"],
  ])("%s is refused in one sentence that says what there is", (text, problem) => {
    expect(() => parseThreshold(text)).toThrow(InputError);
    expect(() => parseThreshold(text)).toThrow(`threshold ${JSON.stringify(text)}: `);
    expect(() => parseThreshold(text)).toThrow(problem);
  });

  it("is refused, or is understood as it is written, whatever the text", () => {
    const random = createRandom(testSeed());
    const pieces = [...figures.keys(), "find", ".", "<", "<=", "==", ">", "1", "0.5", "99", "%", "ms", "s", " ", "\u001b[2J", "x"];
    for (let round = 0; round < 3000; round++) {
      const text = Array.from({ length: random.int(1, 5) }, () => random.pick(pieces)).join("");
      try {
        const { figure, comparison, limit, unit } = parseThreshold(text);
        const written = `${figure.name}${comparison}${limit}${{ ms: "ms", count: "", percent: "%" }[unit]}`;
        expect(parseThreshold(written)).toMatchObject({ figure, comparison, limit, unit });
        expect(text.trim().startsWith(figure.name)).toBe(true);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        expect(error.message).not.toMatch(/\p{Cc}/u);
      }
    }
  });

  it("of each figure that exists is none", () => {
    for (const { name, kind, hasShare } of figures.values()) {
      expect(parseThreshold(`${name}>=${kind === "time" ? "1.5s" : "3"}`).figure.name).toBe(name);
      if (hasShare) expect(parseThreshold(`${name} < 12.5 %`)).toMatchObject({ limit: 12.5, unit: "percent" });
    }
  });
});

it("compares as the numbers say, for whatever limits", () => {
  const random = createRandom(testSeed());
  const summary = run();
  for (let round = 0; round < 500; round++) {
    const figure = random.pick([...figures.values()].filter(({ kind }) => kind === "time"));
    const found = figure.valueOf(summary);
    const limit = random.int(0, 120);
    const results = ["<", "==", ">"].map((sign) => judgeThreshold(parseThreshold(`${figure.name}${sign}${limit}ms`), summary).isMet);
    // Exactly one of the three, and each of the others with its equality.
    expect(results.filter(Boolean)).toHaveLength(found === undefined ? 0 : 1);
    const loose = ["<=", ">="].map((sign) => judgeThreshold(parseThreshold(`${figure.name}${sign}${limit}ms`), summary).isMet);
    expect(loose).toEqual([results[0] || results[1], results[1] || results[2]]);
  }
});
