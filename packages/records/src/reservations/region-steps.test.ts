import { describe, expect, it } from "vitest";
import { createRegionSteps } from "./region-steps.ts";

/** Steps that end when they are told to, and what was in each. */
function heldSteps(atOnce: number) {
  const begun: {
    region: string;
    batch: readonly number[];
    end: (outcomes: readonly (number | Error)[]) => void;
    fail: (error: Error) => void;
  }[] = [];
  const steps = createRegionSteps<number, number>({
    atOnce,
    run: (region, batch) => new Promise((resolve, reject) => void begun.push({ region, batch, end: resolve, fail: reject })),
  });
  return { steps, begun };
}

const turn = () => new Promise((resolve) => void setImmediate(resolve));

describe("steps of regions", () => {
  it("take together what comes in one turn and while one is under way, in its order and so many at most", async () => {
    const { steps, begun } = heldSteps(3);
    const results = Promise.all([1, 2].map((work) => steps("a", work)));
    await turn();
    const later = Promise.all([3, 4, 5, 6].map((work) => steps("a", work)));
    await turn();
    expect(begun.map(({ batch }) => batch)).toEqual([[1, 2]]);
    begun[0]?.end([10, 20]);
    expect(await results).toEqual([10, 20]);
    await turn();
    expect(begun.map(({ batch }) => batch)).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    begun[1]?.end([30, 40, 50]);
    await turn();
    begun[2]?.end([60]);
    expect(await later).toEqual([30, 40, 50, 60]);
  });

  it("of one region wait for none of another", async () => {
    const { steps, begun } = heldSteps(3);
    void steps("a", 1);
    void steps("b", 2);
    await turn();
    expect(begun.map(({ region, batch }) => [region, ...batch])).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
  });

  it("fail for one alone, and as a whole with all that waits behind, and go on afterwards", async () => {
    const { steps, begun } = heldSteps(2);
    const outcomes = [1, 2, 3].map((work) => steps("a", work).catch((error: Error) => error.message));
    await turn();
    begun[0]?.end([new Error("this one"), 20]);
    expect(await Promise.all(outcomes.slice(0, 2))).toEqual(["this one", 20]);
    await turn();
    const behind = steps("a", 4).catch((error: Error) => error.message);
    begun[1]?.fail(new Error("all of them"));
    expect(await outcomes[2]).toBe("all of them");
    expect(await behind).toBe("all of them");
    const after = steps("a", 5);
    await turn();
    begun[2]?.end([50]);
    expect(await after).toBe(50);
  });
});
