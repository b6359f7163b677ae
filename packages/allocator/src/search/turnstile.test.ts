import { describe, expect, it } from "vitest";
import { createTurnstile } from "./turnstile.ts";

describe("a turnstile", () => {
  it("never has more inside than it has places, and lets everybody in", async () => {
    const turnstile = createTurnstile(2);
    let inside = 0;
    let most = 0;
    let done = 0;
    await Promise.all(
      Array.from({ length: 50 }, () =>
        turnstile.pass(async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setImmediate(resolve));
          inside--;
          done++;
        }),
      ),
    );
    expect({ most, done }).toEqual({ most: 2, done: 50 });
  });

  it("goes on after work that failed, and after one that gave up in line", async () => {
    const turnstile = createTurnstile(1);
    const failing = turnstile.pass(() => Promise.reject(new Error("no")));
    const leaving = new AbortController();
    const left = turnstile.pass(() => Promise.resolve("in"), leaving.signal);
    const last = turnstile.pass(() => Promise.resolve("last"));
    leaving.abort(new Error("left"));
    await expect(failing).rejects.toThrow("no");
    await expect(left).rejects.toThrow("left");
    await expect(last).resolves.toBe("last");
  });
});
