import { createRandom, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { normalQuantile, pickByShare } from "./distributions.ts";
import { cosDegrees, exp, ln } from "./portable-math.ts";

describe("portable functions", () => {
  it("agree with the engine's to 15 digits", () => {
    const random = createRandom(testSeed());
    const worst = { ln: 0, exp: 0, cos: 0 };
    const differ = (ours: number, theirs: number) => Math.abs(ours - theirs);
    for (let round = 0; round < 20_000; round++) {
      const x = 10 ** random.float(-300, 300);
      worst.ln = Math.max(worst.ln, differ(ln(x), Math.log(x)) / Math.abs(Math.log(x)));
      const power = random.float(-700, 700);
      worst.exp = Math.max(worst.exp, differ(exp(power), Math.exp(power)) / Math.exp(power));
      const degrees = random.float(-90, 90);
      worst.cos = Math.max(worst.cos, differ(cosDegrees(degrees), Math.cos((degrees * Math.PI) / 180)));
    }
    expect(Math.max(worst.ln, worst.exp, worst.cos)).toBeLessThan(1e-15);
    expect(differ(ln(1 + 1e-9), Math.log(1 + 1e-9))).toBeLessThan(1e-22);
    expect([ln(1), exp(0), cosDegrees(0)]).toEqual([0, 1, 1]);
  });

  it("have known bits", () => {
    // Other bits on another machine would make other traces of the same seed.
    expect([ln(3), ln(1e-9), exp(2), exp(-20), cosDegrees(1.3521)]).toEqual([
      1.0986122886681098, -20.72326583694641, 7.38905609893065, 2.061153622438558e-9, 0.9997215660360244,
    ]);
  });
});

describe("the normal quantile", () => {
  it.each([
    [0.5, 0],
    [0.9, 1.2815515655446004],
    [0.975, 1.959963984540054],
    [0.999, 3.090232306167813],
    [1e-9, -5.997807015007774],
  ])("of %d is %d", (p, expected) => {
    expect(normalQuantile(p)).toBeCloseTo(expected, 7);
    if (p > 0.001) expect(normalQuantile(1 - p)).toBeCloseTo(-expected, 7);
  });
});

it("a pick by share takes each index as often as its share, and never one without", () => {
  const shares = [2, 0, 1, 5, 0];
  const counts = shares.map(() => 0);
  for (let step = 0; step < 8000; step++) {
    const index = pickByShare(shares, step / 8000);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  expect(counts).toEqual([2000, 0, 1000, 5000, 0]);
  expect(pickByShare(shares, 1)).toBe(3);
});
