import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Act, AllowanceSchema, DeviceEventType, formatSiteId, ReservationState } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import type { Credential } from "../src/index.ts";
import { createSimulatedCabinet } from "../src/simulation/index.ts";
import { compartments, deposit, lastRefusal, notAccepted, pin, startSite, tokenIdOf, until } from "./site.ts";

describe("the door", () => {
  it("never opens twice for a token, not even after a restart", async () => {
    const site = await startSite();
    const { gateway, cabinet, timers } = site;
    const reservationId = gateway.newReservation();
    const token = await gateway.token(Act.DEPOSIT, reservationId);
    await site.agent.present({ token });
    cabinet.putIn("A1");
    cabinet.closeDoor("A1");
    expect(await site.agent.present({ token })).toEqual(notAccepted);
    await site.restart();
    expect(await site.agent.present({ token })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("SPENT");
    // Forgotten only when it has expired by more than any clock can be wrong.
    timers.advance(24 * 3_600_000 + 600_001);
    await site.agent.syncNow();
    expect(await site.agent.present({ token })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("EXPIRED");
  });

  it("never opens twice for a PIN, not even if its expiry is extended after it has passed", async () => {
    const hardware = createSimulatedCabinet({ compartments });
    let isJammed = false;
    const open = (id: string) => (isJammed ? Promise.reject(new Error("jammed")) : hardware.open(id));
    const site = await startSite({ cabinet: { ...hardware, open } });
    const { gateway, timers } = site;
    const reservationId = gateway.newReservation();
    await deposit(site, reservationId);
    await gateway.allowPin(reservationId, pin);
    await site.agent.syncNow();
    isJammed = true;
    await site.agent.present({ pin });
    expect(await lastRefusal(site)).toBe("LOCK_FAILED");
    isJammed = false;
    timers.advance(30 * 24 * 3_600_000);
    await site.agent.syncNow();
    for (const allowance of gateway.allowances) allowance.expiresAt = timestampFromMs(timers.now() + 3_600_000);
    gateway.changed();
    await site.agent.syncNow();
    await site.restart();
    expect(await site.agent.present({ pin })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("SPENT");
  });

  it("spends a credential on disk before it pulses the lock", async () => {
    const hardware = createSimulatedCabinet({ compartments });
    const spentThen: boolean[] = [];
    let tokenId = "";
    const open = (id: string) => {
      spentThen.push(site.store.isSpent(tokenId));
      return hardware.open(id);
    };
    const site = await startSite({ cabinet: { ...hardware, open } });
    const token = await site.gateway.token(Act.DEPOSIT, site.gateway.newReservation());
    tokenId = tokenIdOf(token);
    await site.agent.present({ token });
    expect(spentThen).toEqual([true]);
  });

  it("responds the same to every credential that does not open, and reports the reason", async () => {
    const site = await startSite();
    const { agent, gateway, timers } = site;
    const reservationId = gateway.newReservation();
    const good = await gateway.token(Act.DEPOSIT, reservationId);
    await gateway.allowPin(gateway.newReservation(), "00000001", { expiresAt: timestampFromMs(timers.now() - 300_000) });
    await gateway.allowPin(gateway.newReservation(), "00000002", { notBefore: timestampFromMs(timers.now() + 300_001) });
    await gateway.allowPin(gateway.newReservation(), "00000003", { state: ReservationState.CANCELLED });
    await gateway.allowPin(gateway.newReservation(), "00000004");
    await agent.syncNow();
    const cases: [Credential, string][] = [
      [{ token: "" }, "MALFORMED"],
      [{ token: `${good.slice(0, -9)}AAAAAAAAA` }, "SIGNATURE"],
      [{ token: await gateway.token(Act.DEPOSIT, reservationId, { siteId: formatSiteId("83652b", "an0therst0", 7) }) }, "SITE"],
      [
        {
          token: await gateway.token(Act.DEPOSIT, reservationId, {
            expiresAtMs: timers.now() - 300_000,
            notBeforeMs: timers.now() - 400_000,
          }),
        },
        "EXPIRED",
      ],
      [{ token: await gateway.token(Act.DEPOSIT, reservationId, { notBeforeMs: timers.now() + 301_000 }) }, "NOT_YET_VALID"],
      [{ token: await gateway.token(Act.COLLECT, reservationId) }, "NOT_DEPOSITED"],
      [{ token: await gateway.token(Act.RECALL, reservationId, { holderKeyHash: tokenIdOf(good) }) }, "PRESENCE_MISSING"],
      [{ token: await gateway.serviceToken(tokenIdOf(good)), compartmentId: "A1" }, "PRESENCE_MISSING"],
      [{ pin: "1234567" }, "PIN_MALFORMED"],
      [{ pin: "00000001" }, "PIN_EXPIRED"],
      [{ pin: "00000002" }, "PIN_NOT_YET_VALID"],
      [{ pin: "00000003" }, "RESERVATION_STATE"],
      [{ pin: "00000004" }, "NOT_DEPOSITED"],
    ];
    for (const [credential, refusal] of cases) {
      expect(await agent.present(credential)).toEqual(notAccepted);
      expect(await lastRefusal(site)).toBe(refusal);
    }
    expect(gateway.eventNames()).toEqual(cases.map(() => "DOOR_REFUSED"));
    // A token that was not proven says nothing that a report may repeat.
    expect(gateway.events[1]).toMatchObject({ reservationId: "", credentialHash: "", act: Act.UNSPECIFIED });
    expect(gateway.events[2]).toMatchObject({ reservationId, act: Act.DEPOSIT });
  });

  it("locks out PINs for longer and longer, across restarts, but never tokens", async () => {
    const site = await startSite();
    const { gateway, timers } = site;
    const reservationId = gateway.newReservation();
    await deposit(site, reservationId);
    await gateway.allowPin(reservationId, pin);
    await site.agent.syncNow();
    for (let wrong = 0; wrong < 5; wrong += 1) expect(await site.agent.present({ pin: `0000000${wrong}` })).toEqual(notAccepted);
    expect(await site.agent.present({ pin })).toEqual({ opened: false, refusal: "PINS_LOCKED" });
    await site.restart();
    timers.advance(29_999);
    expect(await site.agent.present({ pin })).toEqual({ opened: false, refusal: "PINS_LOCKED" });
    expect(await lastRefusal(site)).toBe("LOCKED_OUT");
    // A token holder walks past.
    await deposit(site, gateway.newReservation());
    timers.advance(1);
    expect(await site.agent.present({ pin: "00000009" })).toEqual(notAccepted);
    timers.advance(59_999);
    expect(await site.agent.present({ pin })).toEqual({ opened: false, refusal: "PINS_LOCKED" });
    timers.advance(1);
    expect(site.store.lockOut().failures).toBe(6);
    expect(await site.agent.present({ pin })).toMatchObject({ opened: true });
    expect(site.store.lockOut().failures).toBe(5);
  });

  it("gives each compartment to one parcel, also for concurrent deposits, and reports when none is free", async () => {
    const site = await startSite();
    const { agent, gateway } = site;
    const tokens = await Promise.all([1, 2, 3, 4, 5].map(() => gateway.token(Act.DEPOSIT, gateway.newReservation())));
    const outcomes = await Promise.all(tokens.map((token) => agent.present({ token })));
    expect(outcomes.slice(0, 3).map((outcome) => outcome.opened && outcome.compartmentId)).toEqual(["A1", "A2", "A3"]);
    expect(outcomes.slice(3)).toEqual([1, 2].map(() => ({ opened: false, refusal: "NO_PLACE_FREE" })));
    // The two were not spent.
    expect(await lastRefusal(site)).toBe("NO_COMPARTMENT");
    const large = await gateway.token(Act.DEPOSIT, gateway.newReservation(), { sizeClassIndex: 1 });
    expect(await agent.present({ token: large })).toMatchObject({ compartmentId: "B1" });
    const unknown = await gateway.token(Act.DEPOSIT, gateway.newReservation(), { sizeClassIndex: 7 });
    expect(await agent.present({ token: unknown })).toEqual({ opened: false, refusal: "NO_PLACE_FREE" });
  });

  it("keeps the door promised to a hard hold, offline and after a restart, and opens it for that hold", async () => {
    const site = await startSite();
    const { gateway, timers } = site;
    const reservationId = gateway.newReservation();
    const promise = { reservationId, act: Act.DEPOSIT, sizeClassId: "S", compartmentId: "A1", state: ReservationState.CONFIRMED };
    gateway.allowances.push(create(AllowanceSchema, { ...promise, expiresAt: timestampFromMs(timers.now() + 3_600_000) }));
    gateway.changed();
    await site.agent.syncNow();
    gateway.isUp = false;
    await site.restart();
    expect(await deposit(site, gateway.newReservation())).toBe("A2");
    expect(await deposit(site, gateway.newReservation())).toBe("A3");
    expect(await site.agent.present({ token: await gateway.token(Act.DEPOSIT, gateway.newReservation()) })).toEqual({
      opened: false,
      refusal: "NO_PLACE_FREE",
    });
    expect(await deposit(site, reservationId)).toBe("A1");
    gateway.isUp = true;
    await site.agent.syncNow();
    await site.agent.flushed();
    expect(gateway.events.at(-1)).toMatchObject({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId, compartmentId: "A1" });
    expect(gateway.events.map(({ refusal }) => refusal)).toContain("NO_COMPARTMENT");
  });

  it("refuses a hard hold whose door is taken, without spending its credential", async () => {
    const site = await startSite();
    const { agent, gateway, cabinet } = site;
    const earlier = gateway.newReservation();
    expect(await deposit(site, earlier)).toBe("A1");
    const reservationId = gateway.newReservation();
    const promise = { reservationId, act: Act.DEPOSIT, sizeClassId: "S", compartmentId: "A1", state: ReservationState.CONFIRMED };
    gateway.allowances.push(create(AllowanceSchema, promise));
    gateway.changed();
    await agent.syncNow();
    const token = await gateway.token(Act.DEPOSIT, reservationId);
    expect(await agent.present({ token })).toEqual({ opened: false, refusal: "NO_PLACE_FREE" });
    expect(await lastRefusal(site)).toBe("PROMISED_COMPARTMENT");
    await agent.present({ token: await gateway.token(Act.COLLECT, earlier) });
    cabinet.takeOut("A1");
    cabinet.closeDoor("A1");
    expect(await agent.present({ token })).toMatchObject({ opened: true, compartmentId: "A1" });
  });

  it("accepts one parcel for one reservation", async () => {
    const site = await startSite();
    const { agent, gateway, cabinet } = site;
    const reservationId = gateway.newReservation();
    await agent.present({ token: await gateway.token(Act.DEPOSIT, reservationId) });
    expect(await agent.present({ token: await gateway.token(Act.DEPOSIT, reservationId) })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("IN_USE");
    cabinet.putIn("A1");
    cabinet.closeDoor("A1");
    expect(await agent.present({ token: await gateway.token(Act.DEPOSIT, reservationId) })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("ALREADY_DEPOSITED");
  });

  it("opens the next compartment if a lock fails, and does not use the failed one until it works", async () => {
    const hardware = createSimulatedCabinet({ compartments });
    let isJammed = true;
    const open = (id: string) => (isJammed && id !== "A2" ? Promise.reject(new Error("jammed")) : hardware.open(id));
    const site = await startSite({ cabinet: { ...hardware, open } });
    const { agent, gateway, store } = site;
    const token = await gateway.token(Act.DEPOSIT, gateway.newReservation());
    expect(await agent.present({ token })).toMatchObject({ opened: true, compartmentId: "A2" });
    expect(store.compartment("A1").condition).toBe("LOCK_FAILED");
    // The last one that is left fails as well; once it works, the same credential opens it.
    const second = await gateway.token(Act.DEPOSIT, gateway.newReservation());
    expect(await agent.present({ token: second })).toEqual({ opened: false, refusal: "OUT_OF_ORDER" });
    expect(await lastRefusal(site)).toBe("LOCK_FAILED");
    isJammed = false;
    expect(await agent.present({ token: second })).toMatchObject({ opened: true, compartmentId: "A3" });
    expect(store.compartment("A3").condition).toBe("OK");
    expect(await agent.present({ token: await gateway.token(Act.DEPOSIT, gateway.newReservation()) })).toMatchObject({ opened: false });
  });

  it("does not put a compartment in doubt whose lock stayed closed", async () => {
    const hardware = createSimulatedCabinet({ compartments });
    let isJammed = false;
    const open = (id: string) => (isJammed ? Promise.reject(new Error("jammed")) : hardware.open(id));
    const site = await startSite({ cabinet: { ...hardware, open } });
    const { agent, gateway, store, timers } = site;
    const reservationId = gateway.newReservation();
    await deposit(site, reservationId);
    isJammed = true;
    expect(await agent.present({ token: await gateway.token(Act.COLLECT, reservationId) })).toEqual({
      opened: false,
      refusal: "OUT_OF_ORDER",
    });
    timers.advance(120_000);
    await until(() => store.visits().length === 0);
    expect(store.compartment("A1")).toEqual({ compartmentId: "A1", condition: "LOCK_FAILED", reservationId });
    isJammed = false;
    expect(await agent.present({ token: await gateway.token(Act.COLLECT, reservationId) })).toMatchObject({ opened: true });
  });
});
