import { greatCircleM } from "@petak/protocol/geo";
import { createRandom, testSeed } from "@petak/testkit";
import { expect, test } from "vitest";
import { PositionIndex } from "./position-index.ts";

test("what is within a distance and what is nearest is what a look at all of them finds, at poles and the 180th meridian too", () => {
  const random = createRandom(testSeed());
  for (let round = 0; round < 30; round++) {
    const centre = random.pick([
      [0, 180],
      [89.99, 0],
      [-90, 20],
      [1.35, 103.8],
    ] as const);
    const around = () => ({
      latitude: Math.max(-90, Math.min(90, centre[0] + random.float(-0.1, 0.1))),
      longitude: ((centre[1] + random.float(-0.1, 0.1) + 540) % 360) - 180,
    });
    const positions = Array.from({ length: random.int(0, 400) }, around);
    const index = new PositionIndex(positions, random.float(200, 3000));
    const from = around();
    const radiusM = random.float(100, 9000);
    const all = positions.map((position, number) => ({ index: number, distanceM: greatCircleM(from, position) }));
    const near = all.filter(({ distanceM }) => distanceM <= radiusM);
    const byIndex = (a: { index: number }, b: { index: number }) => a.index - b.index;
    expect(index.within(from, radiusM).sort(byIndex)).toEqual(near);
    expect(index.nearest(from, radiusM)).toEqual(near.toSorted((a, b) => a.distanceM - b.distanceM || byIndex(a, b))[0]);
  }
});
