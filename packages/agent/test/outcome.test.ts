import { Act, DeviceEventType, ReservationState } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { createSimulatedCabinet, newHolder } from "../src/simulation/index.ts";
import { compartments, deposit, lastRefusal, notAccepted, pin, startSite, until } from "./site.ts";

describe("an outcome", () => {
  it("is in doubt if the door closed and the parcel is not inside, but only after the grace period", async () => {
    const site = await startSite();
    const { agent, cabinet, gateway, timers, store } = site;
    const reservationId = gateway.newReservation();
    await agent.present({ token: await gateway.token(Act.DEPOSIT, reservationId) });
    cabinet.closeDoor("A1");
    await agent.flushed();
    expect(gateway.eventNames()).toEqual(["DOOR_OPENED", "DOOR_CLOSED"]);
    timers.advance(119_999);
    await agent.flushed();
    expect(gateway.events).toHaveLength(2);
    timers.advance(1);
    await agent.flushed();
    expect(gateway.eventNames().at(-1)).toBe("DOUBT");
    expect(gateway.events[2]).toMatchObject({ reservationId, compartmentId: "A1" });
    expect(store.compartment("A1").condition).toBe("IN_DOUBT");
    // Nobody gets it before somebody has looked.
    expect(await agent.present({ token: await gateway.token(Act.DEPOSIT, gateway.newReservation()) })).toMatchObject({
      compartmentId: "A2",
    });
    await agent.markChecked("A1");
    expect(await agent.present({ token: await gateway.token(Act.DEPOSIT, gateway.newReservation()) })).toMatchObject({
      compartmentId: "A1",
    });
  });

  it("ends its reservation: no other credential admits a second parcel or opens the first one's door, online or offline", async () => {
    for (const act of [Act.COLLECT, Act.RECALL]) {
      const site = await startSite();
      const { cabinet, gateway } = site;
      const reservationId = gateway.newReservation();
      const holder = await newHolder();
      const spare = [await gateway.token(Act.DEPOSIT, reservationId), await gateway.token(Act.COLLECT, reservationId)];
      await deposit(site, reservationId);
      // What the gateway last said is that the parcel lies there, and it will not hear otherwise.
      await gateway.allowPin(reservationId, pin, { state: ReservationState.DEPOSITED, compartmentId: "A1" });
      await site.agent.syncNow();
      gateway.isUp = false;
      const token = await gateway.token(act, reservationId, act === Act.RECALL ? { holderKeyHash: holder.keyHash } : {});
      const shown = act === Act.RECALL ? await holder.show(site, token) : { token };
      expect(await site.agent.present(shown)).toMatchObject({ opened: true });
      cabinet.takeOut("A1");
      cabinet.closeDoor("A1");
      await until(() => site.store.visits().length === 0);
      await site.restart();
      for (const credential of [...spare.map((one) => ({ token: one })), { pin }]) {
        expect(await site.agent.present(credential)).toEqual(notAccepted);
      }
      gateway.isUp = true;
      await site.agent.syncNow();
      const refusals = async () => {
        await site.agent.flushed();
        return gateway.events.filter(({ type }) => type === DeviceEventType.DOOR_REFUSED).map(({ refusal }) => refusal);
      };
      expect(await refusals()).toEqual(Array(3).fill("RESERVATION_STATE"));
      // It is kept until the gateway had every report and its last token has expired.
      await site.agent.syncNow();
      site.timers.advance(14 * 86_400_000);
      await site.agent.syncNow();
      expect(await site.agent.present({ token: await gateway.token(Act.DEPOSIT, reservationId) })).toEqual(notAccepted);
      site.timers.advance(600_001);
      await site.agent.syncNow();
      expect(site.store.hasEnded(reservationId)).toBe(false);
    }
  });

  it("in doubt ends its reservation when the compartment is found empty", async () => {
    const site = await startSite();
    const { agent, cabinet, gateway, timers } = site;
    const reservationId = gateway.newReservation();
    await agent.present({ token: await gateway.token(Act.DEPOSIT, reservationId) });
    cabinet.closeDoor("A1");
    await agent.flushed();
    timers.advance(120_000);
    await agent.flushed();
    expect(await agent.present({ token: await gateway.token(Act.DEPOSIT, reservationId) })).toEqual(notAccepted);
    await agent.markChecked("A1");
    expect(await agent.present({ token: await gateway.token(Act.DEPOSIT, reservationId) })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("RESERVATION_STATE");
  });

  it("is settled by reopening the door with the same credential within the grace period, at most twice", async () => {
    const site = await startSite();
    const { agent, cabinet, gateway, timers } = site;
    const reservationId = gateway.newReservation();
    await deposit(site, reservationId);
    const token = await gateway.token(Act.COLLECT, reservationId);
    for (let time = 0; time < 3; time += 1) {
      expect(await agent.present({ token })).toMatchObject({ opened: true, compartmentId: "A1" });
      cabinet.closeDoor("A1");
      await until(() => site.store.visits()[0]?.phase === "CLOSED");
      timers.advance(119_999);
    }
    expect(await agent.present({ token })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("SPENT");
    timers.advance(1);
    await agent.flushed();
    expect(gateway.eventNames().at(-1)).toBe("DOUBT");
    expect(await agent.present({ token: await gateway.token(Act.COLLECT, reservationId) })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("IN_DOUBT");
    await expect(agent.markChecked("A1")).rejects.toThrow("compartment 'A1' is not empty");
  });

  it("is in doubt at the end of its grace period, although a response of the gateway was long on its way", async () => {
    const site = await startSite();
    const { agent, cabinet, gateway, timers } = site;
    await agent.present({ token: await gateway.token(Act.DEPOSIT, gateway.newReservation()) });
    let answer = () => {};
    gateway.syncResponses = new Promise((resolve) => {
      answer = resolve;
    });
    const syncs = gateway.calls.length;
    const syncing = agent.syncNow();
    await until(() => gateway.calls.slice(syncs).includes("sync"));
    cabinet.closeDoor("A1");
    await until(() => site.store.visits()[0]?.phase === "CLOSED");
    timers.advance(119_999);
    answer();
    await syncing;
    timers.advance(1);
    await agent.flushed();
    expect(gateway.eventNames().at(-1)).toBe("DOUBT");
  });

  it("is found after a restart, whether the door was closed meanwhile or not", async () => {
    for (const closedMeanwhile of [false, true]) {
      const site = await startSite();
      const { cabinet, gateway } = site;
      await site.agent.present({ token: await gateway.token(Act.DEPOSIT, gateway.newReservation()) });
      await site.agent.stop();
      cabinet.putIn("A1");
      if (closedMeanwhile) cabinet.closeDoor("A1");
      await site.restart();
      cabinet.closeDoor("A1");
      await site.agent.flushed();
      expect(gateway.eventNames()).toEqual(["DOOR_OPENED", "DOOR_CLOSED", "PARCEL_DEPOSITED"]);
    }
  });

  it("is in doubt without a sensor", async () => {
    const cabinet = createSimulatedCabinet({ compartments });
    let isBlind = false;
    const site = await startSite({ cabinet: { ...cabinet, occupancy: (id) => (isBlind ? "UNKNOWN" : cabinet.occupancy(id)) } });
    await site.agent.present({ token: await site.gateway.token(Act.DEPOSIT, site.gateway.newReservation()) });
    isBlind = true;
    cabinet.putIn("A1");
    cabinet.closeDoor("A1");
    await until(() => site.store.visits()[0]?.phase === "CLOSED");
    site.timers.advance(120_000);
    await site.agent.flushed();
    expect(site.gateway.eventNames()).toEqual(["DOOR_OPENED", "DOOR_CLOSED", "DOUBT"]);
    // Where no place can be seen to be empty, none is free.
    expect(await site.agent.present({ token: await site.gateway.token(Act.DEPOSIT, site.gateway.newReservation()) })).toEqual({
      opened: false,
      refusal: "NO_PLACE_FREE",
    });
  });

  it("is in doubt if a door with a parcel is open although no credential opened it", async () => {
    const site = await startSite();
    const { agent, cabinet, gateway, log } = site;
    const reservationId = gateway.newReservation();
    await deposit(site, reservationId);
    await agent.flushed();
    await cabinet.open("A1");
    await agent.flushed();
    expect(gateway.events.at(-1)).toMatchObject({ type: 6, reservationId, compartmentId: "A1", credentialHash: "" });
    expect(log.map(({ message }) => message)).toContain("a door is open although no credential opened it");
  });
});
