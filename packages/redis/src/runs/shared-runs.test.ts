import { describe, expect, it } from "vitest";
import { sharedRuns } from "./shared-runs.ts";

describe("work that is shared", () => {
  it("begins after each call, and at most once more for all who come while it runs", async () => {
    const ends: (() => void)[] = [];
    let begun = 0;
    const run = sharedRuns(() => {
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

  it("goes on after one run has failed, of which only those hear who asked for it", async () => {
    let begun = 0;
    const run = sharedRuns(async () => {
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
