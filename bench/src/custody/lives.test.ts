import { describe, expect, it } from "vitest";
import { type Listener, percentiles, runLives, runPaced } from "./lives.ts";

function listenerOf(): Listener & { count: number } {
  return { count: 0, delaysMs: [], close: async () => {} };
}

describe("lives", () => {
  it("are counted together with the events that a listener received", async () => {
    const listener = listenerOf();
    const run = await runLives(
      3,
      0.05,
      listener,
      2,
      async () => {
        listener.count += 2;
        await new Promise((resolve) => void setTimeout(resolve, 1));
      },
      0.01,
    );
    // On a busy machine the time is over after the first of each client.
    expect(run.lives).toBeGreaterThanOrEqual(3);
    expect(run.delivered).toBe(run.lives * 2);
    expect(run.p99Ms).toBeGreaterThanOrEqual(run.p50Ms);
  });

  it("whose events were received twice are reported", async () => {
    const listener = listenerOf();
    const twice = runLives(
      1,
      0.01,
      listener,
      1,
      async () => {
        listener.count += 2;
        await new Promise((resolve) => void setTimeout(resolve, 1));
      },
      0,
    );
    await expect(twice).rejects.toThrow(/^the listener received \d+ events, not \d+$/);
  });

  it("start when they are due, and in the requested number", async () => {
    const listener = listenerOf();
    const run = await runPaced(
      4,
      0.1,
      200,
      listener,
      1,
      async () => {
        listener.count += 1;
        listener.delaysMs.push(3);
      },
      0,
    );
    expect(run).toMatchObject({ lives: 20, delivered: 20, deliveryP50Ms: 3, deliveryP99Ms: 3 });
    expect(run.seconds).toBeGreaterThan(0.09);
  });

  it("have a median and a 99th percentile of their times", () => {
    const times = Array.from({ length: 1000 }, (_, index) => 1000 - index);
    expect(percentiles(times)).toEqual({ p50Ms: 501, p99Ms: 991 });
  });
});
