import { join } from "node:path";
import { createFrozenClock, tempDir } from "@petak/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { createSiteClock } from "./clock.ts";
import { openAgentStore } from "./store/agent-store.ts";

const maxSkewMs = 300_000;

async function startClock(deviceMs: number) {
  const [device, elapsed] = [createFrozenClock(deviceMs), createFrozenClock(0)];
  const store = openAgentStore(join(await tempDir(), "agent.db"));
  onTestFinished(store.close);
  return { device, elapsed, store, restart: () => createSiteClock({ now: device.now, elapsedMs: elapsed.now, store, maxSkewMs }) };
}

describe("a site's clock", () => {
  it("never goes back before a time that it has marked", async () => {
    const { device, restart } = await startClock(1_000_000);
    const clock = restart();
    clock.mark();
    device.advance(-maxSkewMs);
    expect([clock.nowMs(), clock.isTrusted()]).toEqual([1_000_000, true]);
    expect(restart().nowMs()).toBe(1_000_000);
    device.advance(-1);
    expect(restart().isTrusted()).toBe(false);
  });

  it("advances from its floor while the device's clock is lost", async () => {
    const { device, restart } = await startClock(1_000_000_000);
    restart().mark();
    device.set(0);
    const clock = restart();
    device.advance(5000);
    expect([clock.nowMs(), clock.isTrusted(), clock.isConfirmed()]).toEqual([1_000_005_000, false, false]);
  });

  it("follows the gateway's, also across a restart", async () => {
    const { device, elapsed, restart } = await startClock(0);
    const clock = restart();
    clock.confirm(1_000_000_000, 0);
    device.advance(10);
    elapsed.advance(10);
    expect([clock.nowMs(), clock.isTrusted(), clock.isConfirmed()]).toEqual([1_000_000_010, true, true]);
    expect(restart().nowMs()).toBe(1_000_000_010);
  });

  it("goes on by itself once the gateway has given the time, whatever the device's clock is set to", async () => {
    const { device, elapsed, restart } = await startClock(1_000_000_000);
    const clock = restart();
    clock.confirm(1_000_000_000, 0);
    for (const setTo of [0, 9e12, 1_000_000_000]) {
      device.set(setTo);
      elapsed.advance(5);
      clock.mark();
    }
    expect([clock.nowMs(), clock.isTrusted()]).toEqual([1_000_000_015, true]);
  });

  it("takes the middle of the first round trip, and later corrects no more than a round trip shows to be wrong", async () => {
    const { elapsed, restart } = await startClock(0);
    const clock = restart();
    clock.confirm(1_000_000_000, 200);
    expect(clock.nowMs()).toBe(1_000_000_100);
    elapsed.advance(120_000);
    // A response that was two minutes on its way: the gateway gave the time before, at, or after the middle of them.
    for (const givenMs of [1_000_000_100, 1_000_060_000, 1_000_120_100]) {
      clock.confirm(givenMs, 120_000);
      expect(clock.nowMs()).toBe(1_000_120_100);
    }
    clock.confirm(1_000_130_000, 200);
    expect(clock.nowMs()).toBe(1_000_130_000);
    clock.confirm(1_000_110_000, 200);
    expect(clock.nowMs()).toBe(1_000_130_000);
    elapsed.advance(20_000);
    expect(clock.nowMs()).toBe(1_000_130_200);
  });

  it("is not corrected if it is the gateway's test clock, which may be moved during a boot", async () => {
    const { device, store } = await startClock(1_000_000_000);
    const clock = createSiteClock({ now: device.now, elapsedMs: device.now, store, maxSkewMs, isGatewayClock: true });
    device.advance(7 * 86_400_000);
    clock.confirm(1_000_000_000, 0);
    expect([clock.nowMs(), clock.isTrusted(), clock.isConfirmed()]).toEqual([device.now(), true, true]);
  });

  it("returns from a time far ahead of the gateway's", async () => {
    const { device, restart } = await startClock(1_000_000_000);
    const clock = restart();
    device.advance(86_400_000);
    clock.mark();
    device.set(1_000_000_000);
    expect(clock.isTrusted()).toBe(false);
    clock.confirm(1_000_000_100, 0);
    expect([clock.nowMs(), clock.isTrusted()]).toEqual([1_000_000_100, true]);
  });

  it("gives whole ms, which reports and the store need, although the clock of what has passed has fractions", async () => {
    const { device, store } = await startClock(1_000_000_000);
    let elapsedMs = 0.25;
    const clock = createSiteClock({ now: device.now, elapsedMs: () => elapsedMs, store, maxSkewMs });
    clock.confirm(1_000_000_000.75, 0);
    elapsedMs += 10.5;
    clock.mark();
    expect([clock.nowMs(), store.clockFloorMs()]).toEqual([1_000_000_010, 1_000_000_010]);
  });
});
