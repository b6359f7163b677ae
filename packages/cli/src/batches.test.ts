import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { batchesOf, forEachConcurrently } from "./batches.ts";

test("a sequence is cut into lists, the last of which may be shorter", async () => {
  expect(await Array.fromAsync(batchesOf([1, 2, 3, 4, 5], 2))).toEqual([[1, 2], [3, 4], [5]]);
  expect(await Array.fromAsync(batchesOf([], 2))).toEqual([]);
});

test("no more runs than allowed, and no item is taken before it can run", async () => {
  let taken = 0;
  let underWay = 0;
  let most = 0;
  let done = 0;
  async function* items(): AsyncGenerator<number> {
    for (let item = 0; item < 20; item += 1) {
      taken += 1;
      yield item;
    }
  }
  await forEachConcurrently(items(), 3, async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    expect(taken).toBeLessThanOrEqual(done + 4);
    await setImmediate();
    underWay -= 1;
    done += 1;
  });
  expect({ most, done }).toEqual({ most: 3, done: 20 });
});

test("after a failure no more work starts, running work ends, and the first failure is thrown", async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const slow = Promise.withResolvers<void>();
  async function* items(): AsyncGenerator<number> {
    for (let item = 0; item < 10; item += 1) yield item;
  }
  const all = forEachConcurrently(items(), 2, async (item) => {
    begun.push(item);
    if (item === 1) {
      queueMicrotask(slow.resolve);
      throw new Error("no");
    }
    await slow.promise;
    ended.push(item);
  });
  await expect(all).rejects.toThrow("no");
  expect(begun).toEqual([0, 1]);
  expect(ended).toEqual([0]);
});

test("a failure of the sequence is thrown after running work has ended", async () => {
  let hasEnded = false;
  async function* items(): AsyncGenerator<number> {
    yield 1;
    throw new Error("cut off");
  }
  const all = forEachConcurrently(items(), 4, async () => {
    await Promise.resolve();
    hasEnded = true;
  });
  await expect(all).rejects.toThrow("cut off");
  expect(hasEnded).toBe(true);
});
