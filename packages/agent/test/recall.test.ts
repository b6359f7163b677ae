import { Act, DeviceEventType } from "@petak/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { createSimulatedCabinet, newHolder, type SimulatedHolder } from "../src/simulation/index.ts";
import { compartments, deposit, diskAfterPowerCut, lastRefusal, notAccepted, startSite, type TestSite, until } from "./site.ts";

let courier: SimulatedHolder;

beforeEach(async () => {
  courier = await newHolder();
});

const recallToken = ({ gateway }: TestSite, reservationId: string) =>
  gateway.token(Act.RECALL, reservationId, { holderKeyHash: courier.keyHash });

async function siteWithParcel(options: Parameters<typeof startSite>[0] = {}) {
  const site = await startSite(options);
  const reservationId = site.gateway.newReservation();
  const compartmentId = await deposit(site, reservationId);
  return { site, reservationId, compartmentId, token: await recallToken(site, reservationId) };
}

function takeOut({ cabinet }: TestSite, compartmentId: string): void {
  cabinet.takeOut(compartmentId);
  cabinet.closeDoor(compartmentId);
}

describe("a recall", () => {
  it("takes the same steps as a collection: the door opens, the parcel is gone, the place is free, nobody else collects", async () => {
    const { site, reservationId, compartmentId, token } = await siteWithParcel();
    const { agent, gateway, store } = site;
    const collect = await gateway.token(Act.COLLECT, reservationId);
    expect(await agent.present(await courier.show(site, token))).toEqual({ opened: true, compartmentId, act: Act.RECALL, doorsToCome: 0 });
    expect(await agent.present({ token: collect })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("IN_USE");
    takeOut(site, compartmentId);
    await agent.flushed();
    expect(gateway.eventNames().slice(-3)).toEqual(["DOOR_REFUSED", "DOOR_CLOSED", "PARCEL_RECALLED"]);
    expect(gateway.events.at(-1)).toMatchObject({ act: Act.RECALL, reservationId, compartmentId, offline: false });
    expect(gateway.events.at(-1)?.credentialHash).toMatch(/^[\w-]{43}$/);
    expect(store.compartment(compartmentId)).toEqual({ compartmentId, condition: "OK", reservationId: "" });
    expect(await agent.present({ token: collect })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("RESERVATION_STATE");
    expect(await agent.present(await courier.show(site, token))).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("SPENT");
    expect(await deposit(site, gateway.newReservation())).toBe(compartmentId);
  });

  it("works offline, and is reported later", async () => {
    const { site, compartmentId, token } = await siteWithParcel();
    await site.agent.flushed();
    site.gateway.isUp = false;
    await site.restart();
    expect(await site.agent.present(await courier.show(site, token))).toMatchObject({ opened: true });
    takeOut(site, compartmentId);
    await until(() => site.store.visits().length === 0);
    site.gateway.isUp = true;
    await site.agent.syncNow();
    await site.agent.flushed();
    expect(site.gateway.events.at(-1)).toMatchObject({ type: DeviceEventType.PARCEL_RECALLED, offline: true });
  });

  it("leaves the compartment in doubt after the grace period if the parcel was put back", async () => {
    const { site, reservationId, compartmentId, token } = await siteWithParcel();
    await site.agent.present(await courier.show(site, token));
    site.cabinet.closeDoor(compartmentId);
    // The door opens once more for the same token, with another proof.
    expect(await site.agent.present(await courier.show(site, token))).toMatchObject({ opened: true, compartmentId });
    site.cabinet.closeDoor(compartmentId);
    await until(() => site.store.visits().every(({ phase }) => phase === "CLOSED"));
    site.timers.advance(120_000);
    await until(() => site.store.visits().length === 0);
    await site.agent.flushed();
    expect(site.gateway.events.at(-1)).toMatchObject({ type: DeviceEventType.DOUBT, act: Act.RECALL, reservationId });
    expect(site.store.compartment(compartmentId)).toEqual({ compartmentId, condition: "IN_DOUBT", reservationId });
  });

  it.each([
    ["before the lock was pulsed", false],
    ["after the lock was pulsed", true],
  ])("is finished with a new proof where the power goes %s, and happens once", async (_, isPulsed) => {
    const hardware = createSimulatedCabinet({ compartments });
    let disk = "";
    let isCut = false;
    const open = async (id: string) => {
      if (isCut) disk = await diskAfterPowerCut(before.site);
      if (!isCut || isPulsed) await hardware.open(id);
      if (isCut) throw new Error("the power went");
    };
    const before = await siteWithParcel({ cabinet: { ...hardware, open } });
    const { reservationId, compartmentId, token } = before;
    const { gateway, timers } = before.site;
    await before.site.agent.flushed();
    const shown = await courier.show(before.site, token);
    const unused = await courier.show(before.site, token);
    gateway.isUp = false;
    isCut = true;
    await before.site.agent.present(shown);
    await before.site.agent.stop();

    const site = await startSite({ cabinet: hardware, gateway, timers, storePath: disk });
    hardware.closeDoor(compartmentId);
    expect(await site.agent.present({ token })).toEqual(notAccepted);
    expect(await site.agent.present(shown)).toEqual(notAccepted);
    expect(await site.agent.present(unused)).toEqual(notAccepted);
    expect(await site.agent.present(await courier.show(site, token))).toMatchObject({ opened: true, compartmentId });
    takeOut(site, compartmentId);
    await until(() => site.store.visits().length === 0);
    expect(await site.agent.present(await courier.show(site, token))).toEqual(notAccepted);
    gateway.isUp = true;
    await site.agent.syncNow();
    await site.agent.flushed();
    expect(gateway.events.flatMap(({ refusal }) => (refusal === "" ? [] : [refusal]))).toEqual([
      "PRESENCE_MISSING",
      "CHALLENGE_UNKNOWN",
      "CHALLENGE_UNKNOWN",
      "SPENT",
    ]);
    expect(gateway.events.filter(({ type }) => type === DeviceEventType.PARCEL_RECALLED)).toMatchObject([{ reservationId, compartmentId }]);
  });
});

describe("a proof of presence", () => {
  it("opens once, and a copy of it opens nothing", async () => {
    const { site, compartmentId, token } = await siteWithParcel();
    const shown = await courier.show(site, token);
    expect(await site.agent.present(shown)).toMatchObject({ opened: true });
    site.cabinet.closeDoor(compartmentId);
    // Within the grace in which the token would open again.
    expect(await site.agent.present(shown)).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("CHALLENGE_UNKNOWN");
  });

  it("is used up by a failed attempt, whatever the reason", async () => {
    const { site, token } = await siteWithParcel();
    const { challenge } = site.agent.challenge();
    const stranger = await newHolder();
    const theirs = await site.gateway.token(Act.RECALL, site.gateway.newReservation(), { holderKeyHash: stranger.keyHash });
    const stolen = await stranger.show(site, theirs, { challenge });
    expect(await site.agent.present({ ...stolen, token })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("HOLDER_KEY");
    expect(await site.agent.present(await courier.show(site, token, { challenge }))).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("CHALLENGE_UNKNOWN");
    expect(await site.agent.present(await courier.show(site, token))).toMatchObject({ opened: true });
  });

  it("must be for a challenge of this site, this minute and this run of the agent", async () => {
    const { site, token } = await siteWithParcel();
    const { challenge, lifetimeMs } = site.agent.challenge();
    site.timers.advance(lifetimeMs);
    expect(await site.agent.present(await courier.show(site, token, { challenge }))).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("CHALLENGE_EXPIRED");

    const before = await courier.show(site, token);
    await site.restart();
    expect(await site.agent.present(before)).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("CHALLENGE_UNKNOWN");

    const another = await startSite();
    const elsewhere = await courier.show(site, token, { challenge: another.agent.challenge().challenge });
    expect(await site.agent.present(elsewhere)).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("CHALLENGE_UNKNOWN");
    expect(site.gateway.eventNames().filter((name) => name === "DOOR_REFUSED")).toHaveLength(3);
  });

  it("stays valid however many challenges others ask for", async () => {
    const { site, token } = await siteWithParcel();
    const first = await courier.show(site, token);
    const others = new Set(Array.from({ length: 10_000 }, () => site.agent.challenge().challenge));
    expect(others.size).toBe(10_000);
    expect(await site.agent.present(first)).toMatchObject({ opened: true });
  });

  it("cannot be made up from one that was given", async () => {
    const { site, token } = await siteWithParcel();
    const bytes = Buffer.from(site.agent.challenge().challenge, "base64url");
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 1;
      expect(await site.agent.present(await courier.show(site, token, { challenge: changed.toString("base64url") }))).toEqual(notAccepted);
      expect(await lastRefusal(site)).toBe("CHALLENGE_UNKNOWN");
    }
  });

  it("is required only of a collector whose token is bound to a key", async () => {
    const { site, reservationId } = await siteWithParcel();
    const token = await site.gateway.token(Act.COLLECT, reservationId, { holderKeyHash: courier.keyHash });
    expect(await site.agent.present({ token })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("PRESENCE_MISSING");
    expect(await site.agent.present(await courier.show(site, token))).toMatchObject({ opened: true, act: Act.COLLECT });
  });

  it("is refused no faster than any other credential", async () => {
    const { site, token } = await siteWithParcel({ agent: { refusalMs: 1 } });
    let isAnswered = false;
    const answer = site.agent.present(await courier.show(site, token, { challenge: "A".repeat(22) })).then((outcome) => {
      isAnswered = true;
      return outcome;
    });
    await site.agent.flushed();
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    site.timers.advance(1);
    expect(await answer).toEqual(notAccepted);
  });

  it("is not available from an agent that is not running", async () => {
    const { site } = await siteWithParcel();
    await site.agent.stop();
    expect(() => site.agent.challenge()).toThrow("the agent is not running");
  });
});
