import { join } from "node:path";
import { createFrozenClock, tempDir } from "@petak/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { createSiteClock } from "./clock.ts";
import { openAgentStore } from "./store/agent-store.ts";

const maxSkewMs = 300_000;

async function startClock(deviceMs: number) {
  const device = createFrozenClock(deviceMs);
  const store = openAgentStore(join(await tempDir(), "agent.db"));
  onTestFinished(store.close);
  return { device, store, restart: () => createSiteClock({ now: device.now, store, maxSkewMs }) };
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
    const { device, restart } = await startClock(0);
    const clock = restart();
    clock.confirm(1_000_000_000);
    device.advance(10);
    expect([clock.nowMs(), clock.isTrusted(), clock.isConfirmed()]).toEqual([1_000_000_010, true, true]);
    expect(restart().nowMs()).toBe(1_000_000_010);
  });

  it("is not corrected if it is the gateway's test clock, which may be moved during a boot", async () => {
    const { device, store } = await startClock(1_000_000_000);
    const clock = createSiteClock({ now: device.now, store, maxSkewMs, isGatewayClock: true });
    device.advance(7 * 86_400_000);
    clock.confirm(1_000_000_000);
    expect([clock.nowMs(), clock.isTrusted(), clock.isConfirmed()]).toEqual([device.now(), true, true]);
  });

  it("returns from a time far ahead of the gateway's", async () => {
    const { device, restart } = await startClock(1_000_000_000);
    const clock = restart();
    device.advance(86_400_000);
    clock.mark();
    device.set(1_000_000_000);
    expect(clock.isTrusted()).toBe(false);
    clock.confirm(1_000_000_100);
    expect([clock.nowMs(), clock.isTrusted()]).toEqual([1_000_000_100, true]);
  });
});
