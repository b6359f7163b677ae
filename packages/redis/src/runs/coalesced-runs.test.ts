import { describe, expect, it } from "vitest";
import { coalescedRuns } from "./coalesced-runs.ts";

describe("coalesced runs", () => {
  it("start after each call, with at most one more run for all calls made during a run", async () => {
    const ends: (() => void)[] = [];
    let begun = 0;
    const run = coalescedRuns(() => {
      begun++;
      return new Promise((resolve) => ends.push(resolve));
    });
    const first = run();
    const [second, third] = [run(), run()];
    expect([begun, second === third]).toEqual([1, true]);
    ends.shift()?.();
    await first;
    const fourth = run();
    await Promise.resolve();
    expect(begun).toBe(2);
    ends.shift()?.();
    await second;
    if (fourth !== second) ends.shift()?.();
    await fourth;
    void run();
    expect(begun).toBe(fourth === second ? 3 : 4);
  });

  it("continue after a failed run, which rejects only the calls that share it", async () => {
    let begun = 0;
    const run = coalescedRuns(async () => {
      begun++;
      await Promise.resolve();
      if (begun === 1) throw new Error("once");
    });
    const failing = run();
    const following = run();
    await expect(failing).rejects.toThrow("once");
    await following;
    expect(begun).toBe(2);
  });
});
