import { createRandom, roundsHere, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { modelNetwork } from "./testing/model-network.ts";
import { mutations } from "./testing/mutations.ts";
import { judge, rulesBroken } from "./testing/stream.ts";

const options = { isAlone: true };

describe("streams of a small network whose calls overlap in a random order", () => {
  it("never give an alarm", () => {
    const random = createRandom(testSeed());
    for (let round = 0; round < roundsHere({ short: 40, ci: 2000 }); round++) {
      expect(judge(modelNetwork(random.fork()), options)).toEqual([]);
    }
  });

  it.each(mutations)("always give one if $what", ({ breaks, make }) => {
    const random = createRandom(testSeed());
    let made = 0;
    for (let round = 0; round < roundsHere({ short: 4, ci: 150 }); round++) {
      const stream = make(modelNetwork(random.fork()), random);
      if (stream === undefined) continue;
      made += 1;
      expect(rulesBroken(stream, options).filter((rule) => breaks.includes(rule))).not.toEqual([]);
    }
    expect(made).toBeGreaterThan(0);
  });
});
