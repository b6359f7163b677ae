import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { credentialHash } from "@petak/credential";
import { Act, formatSiteId, PetakError, ProofKind, ReservationState } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { createSimulatedCabinet } from "../src/index.ts";
import { startAgentGateway } from "./agent-gateway.ts";
import { createManualTimers } from "./manual-timers.ts";
import { compartments, startSite, type TestSite } from "./site.ts";

const notAccepted = { opened: false, refusal: "NOT_ACCEPTED" };
const pin = "12345678";

async function deposit(site: TestSite, reservationId: string): Promise<string> {
  const outcome = await site.agent.present({ token: await site.gateway.token(Act.DEPOSIT, reservationId) });
  if (!outcome.opened) throw new Error(`the deposit was refused: ${outcome.refusal}`);
  site.cabinet.putIn(outcome.compartmentId);
  site.cabinet.closeDoor(outcome.compartmentId);
  return outcome.compartmentId;
}

/** Waits until what the sensors said is written down. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

function tokenIdOf(token: string): string {
  return (JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { jti: string }).jti;
}

async function lastRefusal(site: TestSite): Promise<string | undefined> {
  await site.agent.flushed();
  return site.gateway.events.at(-1)?.refusal;
}

describe("a journey", () => {
  it("is reported step by step, each with its proof", async () => {
    const site = await startSite();
    const { agent, cabinet, gateway, store } = site;
    const reservationId = gateway.newReservation();
    expect(await deposit(site, reservationId)).toBe("A1");

    const token = await gateway.token(Act.COLLECT, reservationId);
    expect(await agent.present({ token })).toEqual({ opened: true, compartmentId: "A1", act: Act.COLLECT });
    cabinet.takeOut("A1");
    cabinet.closeDoor("A1");
    await agent.flushed();
    const opening = ["DOOR_OPENED", "DOOR_CLOSED"];
    expect(gateway.eventNames()).toEqual([...opening, "PARCEL_DEPOSITED", ...opening, "PARCEL_COLLECTED"]);
    expect(gateway.events[5]).toMatchObject({
      sequence: 6n,
      proofKind: ProofKind.ACCESS_TOKEN,
      credentialHash: await credentialHash(tokenIdOf(token)),
      act: Act.COLLECT,
      reservationId,
      compartmentId: "A1",
      offline: false,
    });
    expect(new Set(gateway.events.map(({ deviceEventId }) => deviceEventId)).size).toBe(6);
    expect(store.visits()).toEqual([]);
  });

  it("ends with a PIN that works once", async () => {
    const site = await startSite();
    const { agent, cabinet, gateway } = site;
    const reservationId = gateway.newReservation();
    await deposit(site, reservationId);
    await gateway.allowPin(reservationId, pin);
    await agent.syncNow();
    expect(await agent.present({ pin })).toEqual({ opened: true, compartmentId: "A1", act: Act.COLLECT });
    cabinet.takeOut("A1");
    cabinet.closeDoor("A1");
    expect(await agent.present({ pin })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("SPENT");
    expect(gateway.events.at(-2)).toMatchObject({ proofKind: ProofKind.PIN, reservationId });
    expect(gateway.events.at(-2)?.credentialHash).toMatch(/^[\w-]{43}$/);
  });

  it("needs no network, and is reported when it is back", async () => {
    const site = await startSite();
    const { agent, cabinet, gateway, timers } = site;
    const reservationId = gateway.newReservation();
    const tokens = [await gateway.token(Act.DEPOSIT, reservationId), await gateway.token(Act.COLLECT, reservationId)] as const;
    gateway.isUp = false;
    await expect(agent.syncNow()).rejects.toThrow();
    expect(await agent.present({ token: tokens[0] })).toMatchObject({ opened: true });
    cabinet.putIn("A1");
    cabinet.closeDoor("A1");
    timers.advance(3_600_000);
    expect(await agent.present({ token: tokens[1] })).toMatchObject({ opened: true });
    cabinet.takeOut("A1");
    cabinet.closeDoor("A1");
    await until(() => site.store.visits().length === 0);
    gateway.isUp = true;
    await agent.syncNow();
    await agent.flushed();
    expect(gateway.events.map(({ sequence, offline }) => [Number(sequence), offline])).toEqual([1, 2, 3, 4, 5, 6].map((n) => [n, true]));
    expect(gateway.events[3]?.occurredAt).toEqual(timestampFromMs(timers.now()));
  });
});

describe("the door", () => {
  it("opens for no token a second time, not after a restart either", async () => {
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

  it("has spent a credential on disk before it pulses the lock", async () => {
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

  it("gives one answer for every credential that does not open, and reports the reason", async () => {
    const site = await startSite();
    const { agent, gateway, timers } = site;
    const reservationId = gateway.newReservation();
    const good = await gateway.token(Act.DEPOSIT, reservationId);
    await gateway.allowPin(gateway.newReservation(), "00000001", { expiresAt: timestampFromMs(timers.now() - 300_000) });
    await gateway.allowPin(gateway.newReservation(), "00000002", { notBefore: timestampFromMs(timers.now() + 300_001) });
    await gateway.allowPin(gateway.newReservation(), "00000003", { state: ReservationState.CANCELLED });
    await gateway.allowPin(gateway.newReservation(), "00000004");
    await agent.syncNow();
    const cases: [{ token: string } | { pin: string }, string][] = [
      [{ token: "" }, "MALFORMED"],
      [{ token: `${good.slice(0, -9)}AAAAAAAAA` }, "SIGNATURE"],
      [{ token: await gateway.token(Act.DEPOSIT, reservationId, { siteId: formatSiteId("83652b", 7) }) }, "SITE"],
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
      [{ token: await gateway.token(Act.SERVICE, reservationId) }, "ACT_NOT_SERVED"],
      [{ token: await gateway.token(Act.RECALL, reservationId) }, "ACT_NOT_SERVED"],
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

  it("locks PINs out for longer and longer, over restarts, and never tokens", async () => {
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
    expect(await site.agent.present({ pin })).toMatchObject({ opened: true });
    expect(site.store.lockOut()).toEqual({ failures: 0, lastFailureMs: 0, lockedUntilMs: 0 });
  });

  it("gives one compartment to one parcel, however many come at once, and says when there is none", async () => {
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

  it("takes one parcel for one reservation", async () => {
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

  it("opens the next compartment where a lock fails, and gives that one to nobody until it works", async () => {
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

  it("does not put in doubt what a lock kept shut", async () => {
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

describe("an outcome", () => {
  it("is in doubt where the door closed and the parcel is not inside, but not before the grace has passed", async () => {
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

  it("is settled by the same credential opening the same door again within the grace, twice at the most", async () => {
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
    await expect(agent.markChecked("A1")).rejects.toThrow("something is in compartment 'A1'");
  });

  it("is found after a restart in the middle, with the door open or closed meanwhile", async () => {
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

  it("is in doubt where there is no sensor to show it", async () => {
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

  it("is in doubt where a door with a parcel is found open and no credential opened it", async () => {
    const site = await startSite();
    const { agent, cabinet, gateway, log } = site;
    const reservationId = gateway.newReservation();
    await deposit(site, reservationId);
    await agent.flushed();
    await cabinet.open("A1");
    await agent.flushed();
    expect(gateway.events.at(-1)).toMatchObject({ type: 6, reservationId, compartmentId: "A1", credentialHash: "" });
    expect(log.map(({ message }) => message)).toContain("a door is open that no credential opened");
  });
});

describe("the reports", () => {
  it("come in batches of a hundred at the most, without a gap", async () => {
    const site = await startSite();
    site.gateway.isUp = false;
    for (let attempt = 0; attempt < 250; attempt += 1) await site.agent.present({ token: String(attempt) });
    site.gateway.isUp = true;
    await site.agent.syncNow();
    await site.agent.flushed();
    expect(site.gateway.events.map(({ sequence }) => Number(sequence))).toEqual(Array.from({ length: 250 }, (_, index) => index + 1));
    expect(site.gateway.calls.filter((method) => method === "reportEvents").length).toBeGreaterThanOrEqual(3);
  });

  it("go on after a restart where the gateway has them", async () => {
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

  it("are sent again from where a gateway that lost some says", async () => {
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

  it("of a new store at an old site follow those of the old one, and its parcels are found", async () => {
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
    expect(await fresh.agent.present({ pin })).toEqual({ opened: true, compartmentId: "A1", act: Act.COLLECT });
  });

  it("wait for a gateway that fails, longer and longer", async () => {
    const site = await startSite();
    site.gateway.failures = [1, 2].map(() => new PetakError("STORE_UNAVAILABLE", ""));
    await site.agent.present({ token: "a" });
    const flushed = site.agent.flushed();
    for (const delayMs of [750, 1500]) {
      // The failure must have been met before the clock is moved over the wait that follows it.
      while (site.timers.waiting() < 2) await new Promise((resolve) => setImmediate(resolve));
      site.timers.advance(delayMs);
    }
    await flushed;
    expect(site.gateway.calls.filter((method) => method === "reportEvents")).toHaveLength(3);
  });
});

describe("a start", () => {
  it("without the network goes on from what is on disk", async () => {
    const site = await startSite();
    const { gateway } = site;
    const token = await gateway.token(Act.DEPOSIT, gateway.newReservation());
    gateway.isUp = false;
    await site.restart();
    expect(await site.agent.present({ token })).toMatchObject({ opened: true });
  });

  it("without the network and with nothing on disk opens no door, and goes on trying", async () => {
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

  it("fails where the gateway refuses an agent that has nothing", async () => {
    const timers = createManualTimers(Date.UTC(2026, 10, 24, 12));
    const gateway = await startAgentGateway(timers.now);
    gateway.failures = [new PetakError("AGENT_SITE_MISMATCH", "another site")];
    await expect(startSite({ timers, gateway })).rejects.toThrow("another site");
  });

  it("corrects a wrong clock by the gateway's", async () => {
    const timers = createManualTimers(Date.UTC(2026, 10, 24, 12));
    const gateway = await startAgentGateway(timers.now);
    const site = await startSite({ timers, gateway, agent: { now: () => timers.now() - 10 * 86_400_000 } });
    expect(site.log).toContainEqual({ level: "warn", message: "the device's clock was wrong and is corrected by the gateway's" });
    expect(await site.agent.present({ token: await gateway.token(Act.DEPOSIT, gateway.newReservation()) })).toMatchObject({ opened: true });
    await site.agent.flushed();
    expect(gateway.events[0]?.occurredAt).toEqual(timestampFromMs(timers.now()));
  });

  it("with a lost clock and no network trusts only fresh tokens, and never goes back", async () => {
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

  it("is refused where the store belongs to another site", async () => {
    const site = await startSite();
    await expect(site.restart({ siteId: "site_83652b_5" })).rejects.toThrow("belongs to site 'site_83652b_4k'");
  });
});
