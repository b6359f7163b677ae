import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { GetTestClockResponseSchema } from "@petak/protocol/test-clock";
import { createFrozenClock } from "@petak/testkit";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createAgent } from "./agent.ts";
import { followTestClock, NoTestClockError } from "./test-clock.ts";

const weekMs = 7 * 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

/** A follower of a gateway whose test clock a test moves, on a device whose clock stands still. */
async function follow(intervalMs = Number.POSITIVE_INFINITY) {
  const device = createFrozenClock();
  const gateway = { aheadMs: 0, isUp: true };
  const client = {
    async getTestClock() {
      if (!gateway.isUp) throw new ConnectError("down", Code.Unavailable);
      return create(GetTestClockResponseSchema, { time: timestampFromMs(device.now() + gateway.aheadMs) });
    },
  };
  const clock = await followTestClock(client, { intervalMs, systemNow: device.now });
  onTestFinished(clock.stop);
  return { device, gateway, clock };
}

describe("a follower of a test clock", () => {
  it("has the gateway's time, and goes on by itself between two readings", async () => {
    const { device, gateway, clock } = await follow();
    gateway.aheadMs = weekMs;
    expect(clock.now()).toBe(device.now());
    await clock.update();
    expect(clock.now()).toBe(device.now() + weekMs);
    device.advance(1000);
    expect(clock.now()).toBe(device.now() + weekMs);
  });

  it("never goes back, and keeps going while the gateway does not answer", async () => {
    const { device, gateway, clock } = await follow();
    gateway.aheadMs = weekMs;
    await clock.update();
    gateway.aheadMs = 0;
    await clock.update();
    gateway.isUp = false;
    await expect(clock.update()).rejects.toThrow("down");
    device.advance(1000);
    expect(clock.now()).toBe(device.now() + weekMs);
  });

  it("runs at once, in order, the timers that became due, and keeps the others", async () => {
    const { gateway, clock } = await follow();
    const ran: string[] = [];
    clock.after(weekMs, () => ran.push("a week"));
    clock.after(120_000, () => ran.push("two minutes"));
    clock.after(weekMs + 5000, () => ran.push("a week and five seconds"));
    clock.after(60_000, () => ran.push("cancelled"))();
    gateway.aheadMs = weekMs;
    await clock.update();
    expect(ran).toEqual(["two minutes", "a week"]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(ran).toEqual(["two minutes", "a week", "a week and five seconds"]);
  });

  it("reads the clock by itself, also after a reading that failed", async () => {
    const { device, gateway, clock } = await follow(1000);
    gateway.isUp = false;
    await vi.advanceTimersByTimeAsync(1000);
    gateway.isUp = true;
    gateway.aheadMs = weekMs;
    await vi.advanceTimersByTimeAsync(1000);
    expect(clock.now()).toBe(device.now() + weekMs);
  });

  it("refuses a gateway without a test clock, and an agent with a live key", async () => {
    const client = { getTestClock: () => Promise.reject(new ConnectError("", Code.Unimplemented)) };
    await expect(followTestClock(client)).rejects.toThrow(NoTestClockError);
    const { clock } = await follow();
    const agent = { siteId: "", keyId: "key_live_0000000000000001", testClock: clock } as Partial<Parameters<typeof createAgent>[0]>;
    expect(() => createAgent(agent as Parameters<typeof createAgent>[0])).toThrow("an agent with a live key cannot follow a test clock");
  });
});
