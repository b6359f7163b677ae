import { describe, expect, it } from "vitest";
import { createConcurrencyLimit } from "./concurrency-limit.ts";

describe("a concurrency limit", () => {
  it("never runs more tasks than the limit, and runs all of them", async () => {
    const limit = createConcurrencyLimit(2);
    let running = 0;
    let most = 0;
    let done = 0;
    await Promise.all(
      Array.from({ length: 50 }, () =>
        limit.run(async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          done++;
        }),
      ),
    );
    expect({ most, done }).toEqual({ most: 2, done: 50 });
  });

  it("continues after a failed task, and after one that was aborted in the queue", async () => {
    const limit = createConcurrencyLimit(1);
    const failing = limit.run(() => Promise.reject(new Error("no")));
    const leaving = new AbortController();
    const left = limit.run(() => Promise.resolve("in"), leaving.signal);
    const last = limit.run(() => Promise.resolve("last"));
    leaving.abort(new Error("left"));
    await expect(failing).rejects.toThrow("no");
    await expect(left).rejects.toThrow("left");
    await expect(last).resolves.toBe("last");
  });
});
