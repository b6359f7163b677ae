import { greatCircleM } from "@petak/allocator";
import { expect, test } from "vitest";
import { differenceOf, nearestByBruteForce, requireFree, requireSame } from "./answers.ts";
import { cityNetwork, cityOrigins } from "./network/city.ts";
import type { Network } from "./network/network.ts";

/** Sites 0, 1, 2 … on the equator, each 111 m from the next. */
const line: Network = {
  name: "a line",
  count: 5,
  latitudes: new Float64Array(5),
  longitudes: Float64Array.from([0.001, 0.002, 0.003, 0.004, 0.004_000_01]),
  countryOf: () => "SG",
};
const origin = { latitude: 0, longitude: 0 };

test("answers with the same sites in the same order are the same", () => {
  expect(differenceOf(line, { origin, sites: [0, 1, 2] }, [0, 1, 2], 1.5)).toBeUndefined();
});

test("sites at almost the same distance may be swapped or replace each other", () => {
  expect(differenceOf(line, { origin, sites: [2, 3, 4] }, [2, 4, 3], 1.5)).toBeUndefined();
  expect(differenceOf(line, { origin, sites: [2, 3] }, [2, 4], 1.5)).toBeUndefined();
});

test("another site, another order, a missing site, an additional site and a duplicate are differences", () => {
  const ours = { origin, sites: [0, 1, 2] };
  expect(differenceOf(line, ours, [0, 1, 3], 1.5)).toContain("place 3: site 2 at 333.59 m, not site 3");
  expect(differenceOf(line, ours, [1, 0, 2], 1.5)).toContain("place 1");
  expect(differenceOf(line, ours, [0, 1], 1.5)).toBe("3 sites, not 2");
  expect(differenceOf(line, ours, [0, 1, 2, 3], 1.5)).toBe("3 sites, not 4");
  expect(differenceOf(line, { origin, sites: [2, 3, 4] }, [2, 3, 3], 1.5)).toContain("a duplicate site");
  expect(() => requireSame("The peer", line, ours, [0, 1, 3], 1.5)).toThrow("The peer and the allocator differ at 0, 0: place 3");
});

test("an answer with a full site fails the bench", () => {
  const isFull = (index: number) => index === 2;
  expect(() => requireFree("The peer", [0, 1], isFull)).not.toThrow();
  expect(() => requireFree("The peer", [0, 2], isFull)).toThrow("The peer offers site 2, which is full");
});

test("the brute-force search finds the same sites as sorting all sites by distance", () => {
  const network = cityNetwork(500, 3);
  const isFull = (index: number) => index % 3 === 0;
  for (const from of cityOrigins(50, 4)) {
    const sorted = Array.from({ length: network.count }, (_, index) => index)
      .filter((index) => !isFull(index))
      .map((index) => ({
        index,
        distanceM: greatCircleM(from, { latitude: network.latitudes[index] as number, longitude: network.longitudes[index] as number }),
      }))
      .sort((a, b) => a.distanceM - b.distanceM);
    expect(nearestByBruteForce(network, isFull, from, 5)).toEqual(sorted.slice(0, 5).map(({ index }) => index));
  }
});
