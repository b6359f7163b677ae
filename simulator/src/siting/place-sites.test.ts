import { greatCircleM } from "@petak/protocol/geo";
import { createRandom, type Random, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { type Demand, placeSites } from "./place-sites.ts";

const somewhere = (random: Random) => ({ latitude: 1.3 + random.float(0, 0.03), longitude: 103.8 + random.float(0, 0.03) });
const demandOf = (random: Random, count: number): Demand[] =>
  Array.from({ length: count }, () => ({ ...somewhere(random), weight: random.pick([0, 1, 1, 5, random.float(0, 20)]) }));
const listOf = (random: Random, count: number) => Array.from({ length: count }, () => somewhere(random));

/** The weight within a walk of any of the sites, by looking at each pair. */
function coveredBy(demand: readonly Demand[], sites: readonly { latitude: number; longitude: number }[], walkM: number): number {
  return demand.filter((one) => sites.some((site) => greatCircleM(one, site) <= walkM)).reduce((sum, { weight }) => sum + weight, 0);
}

/** All choices of `count` of a list. */
function choices<T>(list: readonly T[], count: number): T[][] {
  if (count === 0) return [[]];
  return list.flatMap((first, index) => choices(list.slice(index + 1), count - 1).map((rest) => [first, ...rest]));
}

describe("placed sites", () => {
  it("add at least 63 % of what the best choice of all adds, with sites there before and without", () => {
    const random = createRandom(testSeed());
    for (let round = 0; round < 20; round++) {
      const demand = demandOf(random, 40);
      const candidates = listOf(random, 9);
      const existing = listOf(random, random.int(0, 2));
      const [count, walkM] = [random.int(1, 4), random.int(200, 1200)];
      const { coveredBefore, placed, total } = placeSites(demand, existing, candidates, { walkM, count });
      expect(coveredBefore).toBeCloseTo(coveredBy(demand, existing, walkM), 9);
      expect(total).toBeCloseTo(
        demand.reduce((sum, { weight }) => sum + weight, 0),
        9,
      );
      const chosen = placed.map(({ candidate }) => candidates[candidate] as (typeof candidates)[number]);
      const gain = placed.reduce((sum, one) => sum + one.gain, 0);
      expect(coveredBefore + gain).toBeCloseTo(coveredBy(demand, [...existing, ...chosen], walkM), 9);
      const best =
        Math.max(...choices(candidates, count).map((sites) => coveredBy(demand, [...existing, ...sites], walkM))) - coveredBefore;
      expect(gain).toBeGreaterThanOrEqual((1 - 1 / Math.E) * best - 1e-9);
    }
  });

  it("are those that a plain greedy choice takes, in the same order, with gains that never grow", () => {
    const random = createRandom(testSeed());
    for (let round = 0; round < 4; round++) {
      const demand = demandOf(random, 100);
      const candidates = listOf(random, 40);
      const walkM = random.int(100, 700);
      const { placed } = placeSites(demand, [], candidates, { walkM, count: 12 });
      let left = demand;
      for (const { candidate, gain } of placed) {
        const gains = candidates.map((site) => coveredBy(left, [site], walkM));
        expect(gain).toBeCloseTo(Math.max(...gains), 9);
        expect(gains[candidate]).toBeCloseTo(gain, 9);
        left = left.filter((one) => greatCircleM(one, candidates[candidate] as Demand) > walkM);
      }
      const gains = placed.map(({ gain }) => gain);
      expect(gains).toEqual(gains.toSorted((a, b) => b - a));
      expect(placeSites(demand, [], candidates, { walkM, count: 5 }).placed).toEqual(placed.slice(0, 5));
    }
  });

  it("are no more than can add something", () => {
    const demand = [{ latitude: 1, longitude: 1, weight: 3 }];
    const near = { latitude: 1, longitude: 1.001 };
    expect(placeSites(demand, [], [near, near], { walkM: 200, count: 5 }).placed).toEqual([{ candidate: 0, gain: 3 }]);
    expect(placeSites(demand, [near], [near], { walkM: 200, count: 5 })).toEqual({ total: 3, coveredBefore: 3, placed: [] });
    expect(placeSites([], [], [near], { walkM: 200, count: 5 }).placed).toEqual([]);
  });
});
