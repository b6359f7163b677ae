import { Act, DeviceEventType, ReservationState } from "@petak/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { createSimulatedCabinet, newHolder, type SimulatedHolder } from "../src/simulation/index.ts";
import { compartments, deposit, diskAfterPowerCut, lastRefusal, notAccepted, startSite, type TestSite, until } from "./site.ts";

let technician: SimulatedHolder;
let site: TestSite;

beforeEach(async () => {
  technician = await newHolder();
  site = await startSite();
});

async function present(token: string, compartmentId?: string) {
  return await site.agent.present(await technician.show(site, token, compartmentId === undefined ? {} : { compartmentId }));
}

describe("service at a site", () => {
  it("opens each empty door once with one token, and reports every opening", async () => {
    const reservationId = site.gateway.newReservation();
    expect(await deposit(site, reservationId)).toBe("A1");
    const token = await site.gateway.serviceToken(technician.keyHash);
    expect(await present(token, "A1")).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("OCCUPIED");
    for (const compartmentId of ["A2", "B1"]) {
      expect(await present(token, compartmentId)).toMatchObject({ opened: true, compartmentId, act: Act.SERVICE });
      site.cabinet.closeDoor(compartmentId);
      await site.agent.flushed();
      expect(site.gateway.eventNames().slice(-2)).toEqual(["DOOR_OPENED", "DOOR_CLOSED"]);
      expect(site.gateway.events.at(-1)).toMatchObject({ act: Act.SERVICE, reservationId: "", compartmentId });
      expect(await present(token, compartmentId)).toEqual(notAccepted);
      expect(await lastRefusal(site)).toBe("SPENT");
    }
    const hashes = site.gateway.events.filter(({ act }) => act === Act.SERVICE).map(({ credentialHash }) => credentialHash);
    expect(new Set(hashes).size).toBe(1);
    expect(site.store.visits()).toEqual([]);
    expect(await deposit(site, site.gateway.newReservation())).toBe("A2");
  });

  it("opens no door if the technician names none or an unknown one", async () => {
    const token = await site.gateway.serviceToken(technician.keyHash);
    for (const compartmentId of [undefined, "Z9", "", "x".repeat(1000)]) {
      expect(await present(token, compartmentId)).toEqual(notAccepted);
      expect(await lastRefusal(site)).toBe("COMPARTMENT");
    }
  });

  it("opens a door with a parcel only if the token names it, and leaves the parcel in custody", async () => {
    const reservationId = site.gateway.newReservation();
    await deposit(site, reservationId);
    expect(await present(await site.gateway.serviceToken(technician.keyHash, "A1"))).toMatchObject({ opened: true, compartmentId: "A1" });
    const collect = await site.gateway.token(Act.COLLECT, reservationId);
    expect(await site.agent.present({ token: collect })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("IN_USE");
    site.cabinet.closeDoor("A1");
    await site.agent.flushed();
    expect(site.gateway.events.at(-1)).toMatchObject({ type: DeviceEventType.DOOR_CLOSED, act: Act.SERVICE, reservationId });
    expect(site.store.compartment("A1")).toEqual({ compartmentId: "A1", condition: "OK", reservationId });
    expect(await site.agent.present({ token: collect })).toMatchObject({ opened: true, compartmentId: "A1" });
  });

  it("never reports a parcel as collected: a missing parcel is in doubt", async () => {
    const reservationId = site.gateway.newReservation();
    await deposit(site, reservationId);
    await present(await site.gateway.serviceToken(technician.keyHash, "A1"));
    site.cabinet.takeOut("A1");
    site.cabinet.closeDoor("A1");
    await until(() => site.store.visits().some(({ phase }) => phase === "CLOSED"));
    site.timers.advance(120_000);
    await until(() => site.store.visits().length === 0);
    await site.agent.flushed();
    expect(site.gateway.eventNames().slice(-3)).toEqual(["DOOR_OPENED", "DOOR_CLOSED", "DOUBT"]);
    expect(site.gateway.events.at(-1)).toMatchObject({ act: Act.SERVICE, reservationId, compartmentId: "A1" });
    expect(site.store.compartment("A1")).toEqual({ compartmentId: "A1", condition: "IN_DOUBT", reservationId });
    // Nobody opens it by the way, and whoever comes to look finds it empty: so it may be used again.
    const token = await site.gateway.serviceToken(technician.keyHash);
    expect(await present(token, "A1")).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("OCCUPIED");
    expect(await present(await site.gateway.serviceToken(technician.keyHash, "A1"))).toMatchObject({ opened: true });
    site.cabinet.closeDoor("A1");
    await site.agent.flushed();
    expect(site.store.compartment("A1")).toEqual({ compartmentId: "A1", condition: "OK", reservationId: "" });
  });

  it("allows the parcel to be put back within the grace period", async () => {
    const reservationId = site.gateway.newReservation();
    await deposit(site, reservationId);
    const token = await site.gateway.serviceToken(technician.keyHash, "A1");
    await present(token);
    site.cabinet.takeOut("A1");
    site.cabinet.closeDoor("A1");
    expect(await present(token)).toMatchObject({ opened: true, compartmentId: "A1" });
    site.cabinet.putIn("A1");
    site.cabinet.closeDoor("A1");
    await site.agent.flushed();
    expect(site.store.visits()).toEqual([]);
    expect(site.gateway.eventNames()).not.toContain("DOUBT");
    expect(site.store.compartment("A1").reservationId).toBe(reservationId);
  });

  it.each([
    ["before the lock was pulsed", false],
    ["after the lock was pulsed", true],
  ])("leaves a parcel in custody where the power goes %s", async (_, isPulsed) => {
    const hardware = createSimulatedCabinet({ compartments });
    let disk = "";
    let isCut = false;
    const open = async (id: string) => {
      if (isCut) disk = await diskAfterPowerCut(before);
      if (!isCut || isPulsed) await hardware.open(id);
      if (isCut) throw new Error("the power went");
    };
    const { gateway, timers } = site;
    const before = await startSite({ cabinet: { ...hardware, open }, gateway, timers });
    const reservationId = gateway.newReservation();
    await deposit(before, reservationId);
    await before.agent.flushed();
    gateway.isUp = false;
    isCut = true;
    const token = await gateway.serviceToken(technician.keyHash, "A1");
    await before.agent.present(await technician.show(before, token));
    await before.agent.stop();

    const after = await startSite({ cabinet: hardware, gateway, timers, storePath: disk });
    expect(after.store.visits()).toMatchObject([{ act: Act.SERVICE, reservationId, phase: isPulsed ? "OPEN" : "OPENING" }]);
    hardware.closeDoor("A1");
    await after.agent.present({ token });
    timers.advance(120_000);
    await until(() => after.store.visits().length === 0);
    expect(after.store.compartment("A1")).toEqual({ compartmentId: "A1", condition: "OK", reservationId });
    expect(await after.agent.present(await technician.show(after, token))).toEqual(notAccepted);
    expect(await after.agent.present({ token: await gateway.token(Act.COLLECT, reservationId) })).toMatchObject({ opened: true });
    gateway.isUp = true;
    await after.agent.syncNow();
    await after.agent.flushed();
    expect(gateway.eventNames()).not.toContain("DOUBT");
  });

  it("ends a doubt only if the place is detected empty", async () => {
    const reservationId = site.gateway.newReservation();
    await deposit(site, reservationId);
    await site.agent.flushed();
    site.store.saveCompartment({ compartmentId: "A1", condition: "IN_DOUBT", reservationId });
    await present(await site.gateway.serviceToken(technician.keyHash, "A1"));
    site.cabinet.closeDoor("A1");
    await site.agent.flushed();
    expect(site.store.compartment("A1").condition).toBe("IN_DOUBT");
    site.timers.advance(1000);
    await present(await site.gateway.serviceToken(technician.keyHash, "A1"));
    site.cabinet.takeOut("A1");
    site.cabinet.closeDoor("A1");
    await site.agent.flushed();
    expect(site.store.compartment("A1")).toEqual({ compartmentId: "A1", condition: "OK", reservationId: "" });
  });

  it("and a deposit or collection do not interrupt each other", async () => {
    const depositToken = await site.gateway.token(Act.DEPOSIT, site.gateway.newReservation());
    expect(await site.agent.present({ token: depositToken })).toMatchObject({ compartmentId: "A1" });
    const token = await site.gateway.serviceToken(technician.keyHash, "A1");
    expect(await present(token)).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("IN_USE");
    expect(await present(await site.gateway.serviceToken(technician.keyHash), "A2")).toMatchObject({ opened: true });
    expect(await deposit(site, site.gateway.newReservation())).toBe("A3");
  });

  it("reports the parcel that the gateway knows of if the agent's store is new", async () => {
    const reservationId = site.gateway.newReservation();
    const occupied = createSimulatedCabinet({ compartments, occupied: ["A3"] });
    const other = await startSite({ cabinet: occupied, timers: site.timers, gateway: site.gateway });
    await site.gateway.allowPin(reservationId, "00000007", { compartmentId: "A3" });
    const [allowance] = site.gateway.allowances;
    if (allowance !== undefined) allowance.state = ReservationState.DEPOSITED;
    site.gateway.changed();
    await other.agent.syncNow();
    const shown = await technician.show(other, await site.gateway.serviceToken(technician.keyHash, "A3"));
    expect(await other.agent.present(shown)).toMatchObject({ opened: true, compartmentId: "A3" });
    expect(other.store.visits()).toMatchObject([{ act: Act.SERVICE, reservationId }]);
  });
});
