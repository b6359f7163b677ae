import { createHash } from "node:crypto";
import { testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { peopleOfCity } from "../city/synthetic-city.ts";
import type { Intention } from "../trace/intention.ts";
import { readTrace } from "../trace/read-trace.ts";
import { writeTrace } from "../trace/write-trace.ts";
import { drawTrace, type TraceOptions } from "./draw-trace.ts";
import { type Behaviour, defaultBehaviour } from "./parameters.ts";

const dayMs = 86_400_000;

function options(seed: number, behaviour: Partial<Behaviour> = {}): TraceOptions {
  const city = { latitude: 13.75, longitude: 100.5, population: 20_000, radiusM: 8000 };
  return {
    seed,
    city: "Bangkok",
    timeZone: "Asia/Bangkok",
    startMs: Date.parse("2026-11-16T00:00:00+07:00"),
    durationMs: 2 * dayMs,
    people: peopleOfCity(city, seed),
    peopleFrom: "a synthetic city",
    behaviour: { ...defaultBehaviour, ...behaviour },
  };
}

const draw = (seed: number, behaviour: Partial<Behaviour> = {}) => [...drawTrace(options(seed, behaviour)).intentions];
const textOf = async ({ header, intentions }: ReturnType<typeof drawTrace>) =>
  (await Array.fromAsync(writeTrace(header, intentions))).join("");

describe("a drawn trace", () => {
  it("has known bytes: those of another machine would be another trace of the same seed", async () => {
    const text = await textOf(drawTrace(options(42)));
    expect(createHash("sha256").update(text).digest("hex")).toBe("c7a36071a528a4b92e71959b66513ecb9d64410496650180f32403fa578139d2");
  });

  it("is the same each time it is drawn, another for another seed, and what is read of it is what was drawn", async () => {
    const seed = testSeed();
    const trace = drawTrace(options(seed));
    const text = await textOf(trace);
    expect(await textOf(trace)).toBe(text);
    expect(await textOf(drawTrace(options(seed + 1)))).not.toBe(text);
    const read = await readTrace([text], "drawn");
    const intentions = await Array.fromAsync(read.intentions);
    expect(intentions).toEqual([...trace.intentions]);
    expect(Math.abs(intentions.length - trace.expected)).toBeLessThan(6 * Math.sqrt(trace.expected));
  });

  it.each<[parameter: string, changed: Partial<Behaviour>, fields: (keyof Intention)[]]>([
    ["the shares of couriers", { courierShares: [0, 1] }, ["courier"]],
    [
      "the parcels",
      { parcels: [{ share: 1, widthMm: 1, heightMm: 2, depthMm: 3, massG: 4 }] },
      ["widthMm", "heightMm", "depthMm", "massG"],
    ],
    ["the stays", { stayMedianMs: 1000, stayP90Ms: 5000, uncollectedShare: 0.5 }, ["stayMs"]],
    ["who leaves and cancels", { leaveShare: 0.1, cancelShare: 0.5 }, ["change", "changeAfterMs"]],
    ["the patience", { patienceMs: [1, 2] }, ["patienceMs"]],
    ["the looks", { lookAgainShare: 0.9 }, ["looks"]],
    ["the walks", { walks: [{ share: 1, walkM: 77 }] }, ["walkM"]],
    [
      "the policies",
      { overflows: [defaultBehaviour.overflows[2] as Behaviour["overflows"][number]] },
      ["overflowWithinM", "overflowWaitS", "overflowFallback"],
    ],
    ["PINs", { pinShare: 1 }, ["collectBy"]],
  ])("with another parameter, %s, differs in that and in nothing else", (_, changed, fields) => {
    const without = (intention: Intention) =>
      Object.fromEntries(Object.entries(intention).filter(([name]) => !fields.includes(name as keyof Intention)));
    const [before, after] = [draw(5), draw(5, changed)];
    expect(after).not.toEqual(before);
    expect(after.map(without)).toEqual(before.map(without));
  });

  it("has the same people with the same parcels in a busier city, only more of them and sooner", () => {
    const [calm, busy] = [draw(5), draw(5, { parcelsPerDayPerThousand: 20 })];
    expect(busy.length).toBeGreaterThan(1.7 * calm.length);
    for (const [index, { atMs, ...rest }] of calm.slice(0, 50).entries()) {
      const { atMs: sooner, ...same } = busy[index] as Intention;
      expect(same).toEqual(rest);
      expect(sooner).toBeLessThanOrEqual(atMs);
    }
  });

  it("has the shares that were asked for", () => {
    const drawn = draw(testSeed(), { parcelsPerDayPerThousand: 100 });
    const share = (is: (intention: Intention) => boolean) => drawn.filter(is).length / drawn.length;
    const near = (actual: number, expected: number) =>
      expect(Math.abs(actual - expected)).toBeLessThan(6 * Math.sqrt(expected / drawn.length));
    near(
      share(({ purpose }) => purpose === "RETURN"),
      0.1,
    );
    near(
      share(({ courier }) => courier === 1),
      0.4,
    );
    near(
      share(({ change }) => change === "LEAVES"),
      0.3,
    );
    near(
      share(({ change }) => change === "CANCELS"),
      0.7 * 0.04,
    );
    near(
      share(({ option }) => option === 2),
      0.12,
    );
    near(
      share(({ looks }) => looks >= 2),
      0.2,
    );
    near(
      share(({ looks }) => looks >= 3),
      0.04,
    );
    near(
      share(({ stayMs }) => stayMs === null),
      0.85 * 0.015,
    );
    near(
      share(({ depositAfterMs }) => depositAfterMs === null),
      0.01,
    );
    const stays = drawn.flatMap(({ purpose, stayMs }) => (purpose === "DELIVERY" && stayMs !== null ? [stayMs] : [])).sort((a, b) => a - b);
    expect(Math.abs((stays[stays.length >> 1] ?? 0) / defaultBehaviour.stayMedianMs - 1)).toBeLessThan(0.25);
  });

  it("has observed stays where they are given, and nothing else changes", () => {
    const observed = [...drawTrace({ ...options(5), observedStaysMs: [7, 8, 9] }).intentions];
    const delivered = observed.filter(({ purpose, stayMs }) => purpose === "DELIVERY" && stayMs !== null);
    expect(new Set(delivered.map(({ stayMs }) => stayMs))).toEqual(new Set([7, 8, 9]));
    expect(observed.map(({ stayMs: _, ...rest }) => rest)).toEqual(draw(5).map(({ stayMs: _, ...rest }) => rest));
  });

  it.each<[Partial<Behaviour>, RegExp]>([
    [{ leaveShare: 1.5 }, /leaveShare is from 0 to 1, not 1.5/],
    [{ parcelsPerDayPerThousand: -1 }, /parcelsPerDayPerThousand is from 0 to 10000, not -1/],
    [{ patienceMs: [5, 4] }, /patienceMs is from 5 to/],
    [{ cancelShare: 0.6, redirectShare: 0.6 }, /the sum of cancelShare and redirectShare is from 0 to 1, not 1.2/],
    [{ courierShares: [0] }, /courierShares needs a share above 0/],
    [{ stayP90Ms: 5 }, /stayP90Ms is 5, below stayMedianMs/],
  ])("refuses %j", (changed, message) => {
    expect(() => drawTrace(options(1, changed))).toThrow(message);
  });

  it("refuses a period and a city that no trace can have", () => {
    expect(() => drawTrace({ ...options(1), durationMs: 0 })).toThrow(/the options of the trace, durationMs: 0 is not/);
    expect(() => drawTrace({ ...options(1), timeZone: "Mars/Base" })).toThrow(/timeZone: "Mars\/Base" is not/);
  });
});
