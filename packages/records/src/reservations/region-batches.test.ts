import { type CallTrace, currentTrace, type EndedCommand, inTrace } from "@petak/redis";
import { describe, expect, it } from "vitest";
import { createRegionBatches } from "./region-batches.ts";

/** Batches that end on command, and their content. */
function heldBatches(batchMax: number) {
  const begun: {
    region: string;
    batch: readonly number[];
    trace: CallTrace | undefined;
    end: (outcomes: readonly (number | Error)[]) => void;
    fail: (error: Error) => void;
  }[] = [];
  const batches = createRegionBatches<number, number>({
    script: "a-script",
    batchMax,
    run: (region, batch) =>
      new Promise((resolve, reject) => void begun.push({ region, batch, trace: currentTrace(), end: resolve, fail: reject })),
  });
  return { batches, begun };
}

const turn = () => new Promise((resolve) => void setImmediate(resolve));

describe("batches of a region", () => {
  it("contain the items of one turn, or those that arrived during the last batch, in order and up to the maximum", async () => {
    const { batches, begun } = heldBatches(3);
    const results = Promise.all([1, 2].map((work) => batches("a", work)));
    await turn();
    const later = Promise.all([3, 4, 5, 6].map((work) => batches("a", work)));
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

  it("do not wait for batches of another region", async () => {
    const { batches, begun } = heldBatches(3);
    void batches("a", 1);
    void batches("b", 2);
    await turn();
    expect(begun.map(({ region, batch }) => [region, ...batch])).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
  });

  it("reject one item alone or, if the batch fails, also the waiting items, and continue afterwards", async () => {
    const { batches, begun } = heldBatches(2);
    const outcomes = [1, 2, 3].map((work) => batches("a", work).catch((error: Error) => error.message));
    await turn();
    begun[0]?.end([new Error("this one"), 20]);
    expect(await Promise.all(outcomes.slice(0, 2))).toEqual(["this one", 20]);
    await turn();
    const behind = batches("a", 4).catch((error: Error) => error.message);
    begun[1]?.fail(new Error("all of them"));
    expect(await outcomes[2]).toBe("all of them");
    expect(await behind).toBe("all of them");
    const after = batches("a", 5);
    await turn();
    begun[2]?.end([50]);
    expect(await after).toBe(50);
  });

  it("are recorded in the trace of each call that shares one, with its time and size, and belong to none themselves", async () => {
    const { batches, begun } = heldBatches(3);
    const recorded: (readonly [string, EndedCommand])[] = [];
    const traceOf = (name: string): CallTrace => ({ traceparent: name, recordCommand: (command) => recorded.push([name, command]) });
    const one = inTrace(traceOf("one"), () => batches("a", 1));
    const others = [batches("a", 2), inTrace({ traceparent: "only carried" }, () => batches("a", 3))];
    await turn();
    // Begins when that has ended, in whatever context that was.
    const failing = inTrace(traceOf("two"), () => batches("a", 4));
    begun[0]?.end([10, 20, 30]);
    expect(await Promise.all([one, ...others])).toEqual([10, 20, 30]);
    const error = new Error("lost");
    begun[1]?.fail(error);
    await expect(failing).rejects.toThrow("lost");
    expect(recorded).toMatchObject([
      ["one", { operation: "EVALSHA", script: "a-script", batchSize: 3, error: undefined }],
      ["two", { operation: "EVALSHA", script: "a-script", batchSize: 1, error }],
    ]);
    expect(recorded.map(([, { durationMs }]) => durationMs >= 0)).toEqual([true, true]);
    expect(begun.map(({ trace }) => trace)).toEqual([undefined, undefined]);
  });
});
