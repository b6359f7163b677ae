import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Act, PetakError } from "@petak/protocol";
import { createManualTimers } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { startAgentGateway } from "./agent-gateway.ts";
import { notAccepted, pin, startSite } from "./site.ts";

describe("a start", () => {
  it("continues offline with the data on disk", async () => {
    const site = await startSite();
    const { gateway } = site;
    const token = await gateway.token(Act.DEPOSIT, gateway.newReservation());
    gateway.isUp = false;
    await site.restart();
    expect(await site.agent.present({ token })).toMatchObject({ opened: true });
  });

  it("opens no door offline without data on disk, and keeps retrying", async () => {
    const site = await startSite({ isUp: false });
    const { gateway, timers, agent } = site;
    const token = await gateway.token(Act.DEPOSIT, gateway.newReservation());
    expect(await agent.present({ token })).toEqual(notAccepted);
    expect(await agent.present({ pin })).toEqual(notAccepted);
    gateway.isUp = true;
    timers.advance(1000);
    await agent.syncNow();
    expect(await agent.present({ token })).toMatchObject({ opened: true });
  });

  it("fails if the gateway refuses an agent without data", async () => {
    const timers = createManualTimers(Date.UTC(2026, 10, 24, 12));
    const gateway = await startAgentGateway(timers.now);
    gateway.failures = [new PetakError("AGENT_SITE_MISMATCH", "another site")];
    await expect(startSite({ timers, gateway })).rejects.toThrow("another site");
  });

  it("is not repeated for new keys: the trust bundle is renewed at half its validity, although nothing changes", async () => {
    const site = await startSite();
    const { agent, gateway, timers } = site;
    const halfMs = 3.5 * 24 * 3_600_000;
    timers.set(timers.now() + halfMs);
    await agent.syncNow();
    expect(gateway.calls.filter((method) => method === "boot")).toHaveLength(1);
    timers.set(timers.now() + 2 * halfMs - 600_000);
    expect(await agent.present({ token: await gateway.token(Act.DEPOSIT, gateway.newReservation()) })).toMatchObject({ opened: true });
  });

  it("with a new store asks for everything, and so does the agent after a day; in between it asks for what has changed", async () => {
    const site = await startSite();
    const { agent, gateway, timers } = site;
    const asked = () => gateway.syncs.slice(-1).map((one) => [one.knownVersion, one.knownVersionTag, one.acceptsDifference]);
    expect(asked()).toEqual([[0n, 0, false]]);
    await agent.syncNow();
    expect(asked()).toEqual([[1n, 7, true]]);
    await site.restart();
    expect(asked()).toEqual([[1n, 7, true]]);
    timers.set(timers.now() + 24 * 3_600_000 - 1);
    await site.agent.syncNow();
    expect(asked()).toEqual([[1n, 7, true]]);
    timers.set(timers.now() + 1);
    await site.agent.syncNow();
    expect(asked()).toEqual([[0n, 0, false]]);
  });

  it("takes no difference for everything", async () => {
    const { agent, gateway, timers, store } = await startSite();
    gateway.changed();
    gateway.isDifference = true;
    timers.set(timers.now() + 24 * 3_600_000);
    await expect(agent.syncNow()).rejects.toThrow("the gateway answered with a difference, but was asked for everything");
    expect(store.syncVersion()).toBe(1n);
  });

  it("corrects a wrong clock by the gateway's", async () => {
    const timers = createManualTimers(Date.UTC(2026, 10, 24, 12));
    const gateway = await startAgentGateway(timers.now);
    const site = await startSite({ timers, gateway, agent: { now: () => timers.now() - 10 * 86_400_000 } });
    expect(site.log).toContainEqual({ level: "warn", message: "the device's clock was wrong and has been corrected" });
    expect(await site.agent.present({ token: await gateway.token(Act.DEPOSIT, gateway.newReservation()) })).toMatchObject({ opened: true });
    await site.agent.flushed();
    expect(gateway.events[0]?.occurredAt).toEqual(timestampFromMs(timers.now()));
  });

  it("accepts only fresh tokens offline with a lost clock, which never goes back", async () => {
    const site = await startSite();
    const { gateway, timers } = site;
    await site.agent.present({ token: "a" });
    timers.advance(3_600_000);
    await site.agent.present({ token: "b" });
    const old = await gateway.token(Act.DEPOSIT, gateway.newReservation(), { notBeforeMs: timers.now() - 600_000 });
    const fresh = await gateway.token(Act.DEPOSIT, gateway.newReservation());
    gateway.isUp = false;
    const before = timers.now();
    // The device comes up in 1970.
    await site.restart({ now: () => timers.now() - before });
    expect(await site.agent.present({ token: old })).toEqual(notAccepted);
    expect(await site.agent.present({ token: fresh })).toMatchObject({ opened: true });
    gateway.isUp = true;
    await site.agent.syncNow();
    await site.agent.flushed();
    expect(gateway.events.map(({ refusal }) => refusal).slice(-2)).toEqual(["CLOCK_UNTRUSTED", ""]);
    expect(gateway.events.at(-1)?.occurredAt).toEqual(timestampFromMs(before));
  });

  it("is refused if the store belongs to another site", async () => {
    const site = await startSite();
    await expect(site.restart({ siteId: "site_83652b_k3v9c0x2md000005" })).rejects.toThrow(
      "belongs to site 'site_83652b_k3v9c0x2md00004k'",
    );
  });
});
