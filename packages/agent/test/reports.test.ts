import { generateKeyPair, verifyReport } from "@petak/credential";
import { Act, DeviceEventType, PetakError, ReservationState } from "@petak/protocol";
import { createManualTimers } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { siteId, startAgentGateway } from "./agent-gateway.ts";
import { deposit, pin, startSite, until } from "./site.ts";

async function reportKey(keyId: string) {
  return { keyId, ...(await generateKeyPair()) };
}

describe("the reports", () => {
  it("are sent in batches of at most a hundred, without a gap", async () => {
    const site = await startSite();
    site.gateway.isUp = false;
    const report = { type: DeviceEventType.DOOR_REFUSED, refusal: "MALFORMED" };
    for (let number = 0; number < 250; number += 1) site.store.outbox.append(report, site.timers.now());
    site.gateway.isUp = true;
    await site.agent.syncNow();
    await site.agent.flushed();
    expect(site.gateway.events.map(({ sequence }) => Number(sequence))).toEqual(Array.from({ length: 250 }, (_, index) => index + 1));
    expect(site.gateway.calls.filter((method) => method === "reportEvents").length).toBeGreaterThanOrEqual(3);
  });

  it("continue after a restart at the gateway's number", async () => {
    const site = await startSite();
    await site.agent.present({ token: "a" });
    await site.agent.flushed();
    site.gateway.isUp = false;
    await site.agent.present({ token: "b" });
    await site.restart();
    await site.agent.present({ token: "c" });
    site.gateway.isUp = true;
    await site.agent.syncNow();
    await site.agent.flushed();
    expect(site.gateway.events.map(({ sequence }) => Number(sequence))).toEqual([1, 2, 3]);
  });

  it("are sent again from the number named by a gateway that lost some", async () => {
    const site = await startSite();
    for (const token of ["a", "b", "c", "d"]) await site.agent.present({ token });
    await site.agent.flushed();
    site.gateway.events.splice(1);
    await site.agent.present({ token: "e" });
    await site.agent.stop();
    await site.restart();
    await site.agent.flushed();
    expect(site.gateway.events.map(({ sequence }) => Number(sequence))).toEqual([1, 2, 3, 4, 5]);
  });

  it("are sent again from the gap that the gateway names", async () => {
    const site = await startSite();
    for (const token of ["a", "b", "c"]) await site.agent.present({ token });
    await site.agent.flushed();
    site.gateway.events.splice(1);
    await site.agent.present({ token: "d" });
    const flushed = site.agent.flushed();
    // The next synchronisation, the end of the window of refusals, and the backoff.
    while (site.timers.waiting() < 3) await new Promise((resolve) => setImmediate(resolve));
    site.timers.advance(750);
    await flushed;
    expect(site.gateway.events.map(({ sequence }) => Number(sequence))).toEqual([1, 2, 3, 4]);
  });

  it("of a new store at an old site continue those of the old one, and its parcels are found", async () => {
    const timers = createManualTimers(Date.UTC(2026, 10, 24, 12));
    const gateway = await startAgentGateway(timers.now);
    const old = await startSite({ timers, gateway });
    const reservationId = gateway.newReservation();
    await deposit(old, reservationId);
    await old.agent.flushed();
    await old.agent.stop();
    await gateway.allowPin(reservationId, pin, { state: ReservationState.DEPOSITED, compartmentId: "A1" });

    gateway.isUp = false;
    const fresh = await startSite({ timers, gateway, cabinet: old.cabinet });
    await fresh.agent.present({ token: await gateway.token(Act.COLLECT, reservationId) });
    gateway.isUp = true;
    await fresh.agent.syncNow();
    await fresh.agent.flushed();
    expect(gateway.events.map(({ sequence }) => Number(sequence))).toEqual([1, 2, 3, 4]);
    expect(gateway.events[3]?.refusal).toBe("NOT_BOOTED");
    expect(fresh.store.compartment("A1").reservationId).toBe(reservationId);
    expect(await fresh.agent.present({ pin })).toEqual({ opened: true, compartmentId: "A1", act: Act.COLLECT, doorsToCome: 0 });
  });

  it("restart their numbers under a new key of the agent", async () => {
    const site = await startSite({ agent: { keyId: "key_test_a" } });
    const { gateway } = site;
    for (const token of ["a", "b"]) await site.agent.present({ token });
    await site.agent.flushed();
    gateway.isUp = false;
    await site.agent.present({ token: "c" });
    gateway.events.length = 0;
    gateway.isUp = true;
    await site.restart({ keyId: "key_test_b" });
    await site.agent.flushed();
    expect(gateway.events.map(({ sequence }) => Number(sequence))).toEqual([1]);
  });

  it("are signed when they are made, also offline, and delivered unchanged", async () => {
    const key = await reportKey("key_test_a");
    const site = await startSite({ agent: { reportKey: key } });
    const { gateway, store } = site;
    gateway.isUp = false;
    await deposit(site, gateway.newReservation());
    await site.agent.present({ token: "nothing" });
    await until(() => store.visits().length === 0);
    const written = store.outbox.after(0, 10);
    expect(written).toHaveLength(4);
    for (const report of written) expect(await verifyReport(key, siteId, report)).toBe(true);
    for (const report of written) expect(await verifyReport(key, siteId, { ...report, compartmentId: "Z9" })).toBe(false);
    gateway.isUp = true;
    await site.agent.syncNow();
    await site.agent.flushed();
    expect(gateway.events).toEqual(written);
  });

  it("are signed again with their new numbers under a new key, including unsigned ones", async () => {
    const [first, second] = [await reportKey("key_test_a"), await reportKey("key_test_b")];
    const site = await startSite();
    const { gateway } = site;
    gateway.isUp = false;
    await site.agent.present({ token: "a" });
    expect(site.store.outbox.after(0, 1)[0]?.signature).toHaveLength(0);
    await site.restart({ reportKey: first });
    await site.agent.present({ token: "b" });
    for (const report of site.store.outbox.after(0, 10)) expect(await verifyReport(first, siteId, report)).toBe(true);
    gateway.isUp = true;
    await site.restart({ reportKey: second });
    await site.agent.flushed();
    expect(gateway.events).toHaveLength(2);
    for (const report of gateway.events) expect(await verifyReport(second, siteId, report)).toBe(true);
  });

  it("wait with backoff for a failing gateway", async () => {
    const site = await startSite();
    site.gateway.failures = [1, 2].map(() => new PetakError("STORE_UNAVAILABLE", ""));
    await site.agent.present({ token: "a" });
    const flushed = site.agent.flushed();
    for (const delayMs of [750, 1500]) {
      // The failure must have been met before the clock is moved over the wait that follows it.
      while (site.timers.waiting() < 3) await new Promise((resolve) => setImmediate(resolve));
      site.timers.advance(delayMs);
    }
    await flushed;
    expect(site.gateway.calls.filter((method) => method === "reportEvents")).toHaveLength(3);
  });
});
