import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { encodeBase64url } from "@petak/credential";
import { DeviceEventType, formatBundleId, ReservationState } from "@petak/protocol";
import { createRandom, roundsHere, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { createSimulatedCabinet, type SimulatedCabinet } from "../src/simulation/index.ts";
import { compartments, deposit, lastRefusal, notAccepted, pin, startSite, type TestSite, tokenIdOf, until } from "./site.ts";

const bundleId = formatBundleId("83652b", "5t8yq2m4p9w7z3x1");
const doors = ["A1", "A2", "A3"];
const hourMs = 3_600_000;

/** A site at which the three parcels of a bundle lie behind A1, A2 and A3. */
async function bundleSite(options: Parameters<typeof startSite>[0] = {}, changes: { pin?: string } = {}) {
  const site = await startSite(options);
  const reservationIds = doors.map(() => site.gateway.newReservation());
  for (const reservationId of reservationIds) await deposit(site, reservationId);
  await site.gateway.allowBundle(bundleId, reservationIds, changes);
  await site.agent.syncNow();
  await site.agent.flushed();
  return { site, reservationIds, begin: site.gateway.events.length };
}

/** Takes the parcel out and closes the door, and waits until that is written down. */
async function collect(site: TestSite, cabinet: SimulatedCabinet, compartmentId: string): Promise<void> {
  cabinet.takeOut(compartmentId);
  cabinet.closeDoor(compartmentId);
  await site.agent.flushed();
}

const openDoors = ({ cabinet }: TestSite) => doors.filter((door) => cabinet.doorState(door) === "OPEN");

describe("a bundle", () => {
  it("is collected in one visit with one presentation, door after door, and each parcel has its own record", async () => {
    const { site, reservationIds, begin } = await bundleSite();
    const token = await site.gateway.bundleToken(bundleId);
    expect(await site.agent.present({ token })).toMatchObject({ opened: true, compartmentId: "A1", doorsToCome: 2 });
    for (const door of doors) {
      expect(openDoors(site)).toEqual([door]);
      // Scanners read a code many times; no second door opens by it.
      expect(await site.agent.present({ token })).toEqual(notAccepted);
      await collect(site, site.cabinet, door);
    }
    const events = site.gateway.events.slice(begin).filter(({ refusal }) => refusal === "");
    expect(new Set(events.map(({ credentialHash }) => credentialHash)).size).toBe(1);
    for (const reservationId of reservationIds) {
      const own = events.filter((event) => event.reservationId === reservationId);
      expect(own.map((event) => event.type)).toEqual([
        DeviceEventType.DOOR_OPENED,
        DeviceEventType.DOOR_CLOSED,
        DeviceEventType.PARCEL_COLLECTED,
      ]);
      expect(own.every((event) => event.bundleId === bundleId && !event.delegated)).toBe(true);
    }
    expect(await site.agent.present({ token })).toEqual(notAccepted);
    await site.restart();
    expect(await site.agent.present({ token })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("SPENT");
  });

  it("can be collected with a PIN, which subtracts a single wrong PIN", async () => {
    const { site } = await bundleSite({}, { pin });
    for (const wrong of ["00000001", "00000002", "00000003"]) await site.agent.present({ pin: wrong });
    expect(await site.agent.present({ pin })).toMatchObject({ compartmentId: "A1", doorsToCome: 2 });
    for (const door of doors) await collect(site, site.cabinet, door);
    expect(site.cabinet.contents()).toEqual([]);
    expect(site.store.lockOut().failures).toBe(2);
  });

  it("opens no further door after the grace period, and continues when the credential is presented again", async () => {
    const { site } = await bundleSite();
    const token = await site.gateway.bundleToken(bundleId);
    await site.agent.present({ token });
    site.timers.advance(120_000);
    await collect(site, site.cabinet, "A1");
    expect(openDoors(site)).toEqual([]);
    expect(await site.agent.present({ token })).toMatchObject({ compartmentId: "A2", doorsToCome: 1 });
  });

  it("loses nothing in a power cut: the remaining doors open for the same credential, and none opens automatically", async () => {
    const { site } = await bundleSite();
    const token = await site.gateway.bundleToken(bundleId);
    await site.agent.present({ token });
    await site.restart();
    // Without the network too.
    site.gateway.isUp = false;
    site.cabinet.takeOut("A1");
    site.cabinet.closeDoor("A1");
    await until(() => site.store.visits().length === 0);
    expect(openDoors(site)).toEqual([]);
    expect(await site.agent.present({ token })).toMatchObject({ compartmentId: "A2", doorsToCome: 1 });
    site.cabinet.takeOut("A2");
    site.cabinet.closeDoor("A2");
    await until(() => openDoors(site).includes("A3"));
  });

  it("spends the credential for a parcel on disk before that parcel's lock is pulsed", async () => {
    const hardware = createSimulatedCabinet({ compartments });
    const left: (readonly string[])[] = [];
    let tokenId = "";
    const open = (id: string) => {
      if (tokenId !== "") left.push(site.store.isSpent(tokenId) ? site.store.toCollect(tokenId) : ["not spent"]);
      return hardware.open(id);
    };
    const { site, reservationIds } = await bundleSite({ cabinet: { ...hardware, open } });
    const token = await site.gateway.bundleToken(bundleId);
    tokenId = tokenIdOf(token);
    await site.agent.present({ token });
    for (const door of doors) await collect(site, hardware, door);
    const sorted = (...ids: (string | undefined)[]) => ids.map(String).toSorted();
    const [, second, third] = reservationIds;
    expect(left.map((ids) => [...ids].toSorted())).toEqual([sorted(second, third), sorted(third), []]);
  });

  it("is not blocked by a door that does not open, a parcel in doubt or a redirected one", async () => {
    const hardware = createSimulatedCabinet({ compartments });
    const jammed = new Set<string>();
    const open = (id: string) => (jammed.has(id) ? Promise.reject(new Error("jammed")) : hardware.open(id));
    const { site, reservationIds } = await bundleSite({ cabinet: { ...hardware, open } });
    jammed.add("A1");
    const [one, two] = reservationIds;
    site.store.saveCompartment({ compartmentId: "A2", condition: "IN_DOUBT", reservationId: two ?? "" });
    const token = await site.gateway.bundleToken(bundleId);
    expect(await site.agent.present({ token })).toMatchObject({ compartmentId: "A3", doorsToCome: 0 });
    await collect(site, hardware, "A3");
    // The one that did not open has the grace of any door; the one in doubt opens once somebody has settled that.
    jammed.clear();
    expect(await site.agent.present({ token })).toMatchObject({ compartmentId: "A1" });
    await collect(site, hardware, "A1");
    expect(await site.agent.present({ token })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("IN_DOUBT");
    expect(site.store.compartment("A1").reservationId).not.toBe(one);
    site.store.saveCompartment({ compartmentId: "A2", condition: "OK", reservationId: two ?? "" });
    expect(await site.agent.present({ token })).toMatchObject({ compartmentId: "A2" });
  });

  it("reopens the door of a parcel that was left inside before it continues", async () => {
    const { site } = await bundleSite();
    const token = await site.gateway.bundleToken(bundleId);
    await site.agent.present({ token });
    site.cabinet.closeDoor("A1");
    await until(() => site.store.visits()[0]?.phase === "CLOSED");
    expect(openDoors(site)).toEqual([]);
    expect(await site.agent.present({ token })).toMatchObject({ compartmentId: "A1", doorsToCome: 2 });
    await collect(site, site.cabinet, "A1");
    expect(openDoors(site)).toEqual(["A2"]);
  });

  it("can be collected without sensors, each door once", async () => {
    const { site } = await bundleSite({ cabinet: createSimulatedCabinet({ compartments }) });
    const blind = { occupancy: () => "UNKNOWN" as const };
    await site.agent.stop();
    Object.assign(site.cabinet, blind);
    await site.restart();
    await site.agent.present({ token: await site.gateway.bundleToken(bundleId) });
    for (const door of doors) {
      expect(openDoors(site)).toEqual([door]);
      await collect(site, site.cabinet, door);
    }
    expect(openDoors(site)).toEqual([]);
  });

  it("covers the parcels that were there at its first use; a later one needs another credential", async () => {
    const { site, reservationIds } = await bundleSite();
    const token = await site.gateway.bundleToken(bundleId);
    await site.agent.present({ token });
    for (const door of doors) await collect(site, site.cabinet, door);
    const later = site.gateway.newReservation();
    await deposit(site, later);
    await site.gateway.allowBundle(bundleId, [...reservationIds, later]);
    await site.agent.syncNow();
    expect(await site.agent.present({ token })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("SPENT");
    const fresh = await site.gateway.bundleToken(bundleId);
    expect(await site.agent.present({ token: fresh })).toMatchObject({ compartmentId: "A1", doorsToCome: 0 });
  });

  it("has a PIN that stays spent if its expiry is extended, also if the gateway's list lacked the bundle meanwhile", async () => {
    const { site } = await bundleSite({}, { pin });
    const notBefore = timestampFromMs(site.timers.now());
    await site.agent.present({ pin });
    for (const door of doors) await collect(site, site.cabinet, door);
    const pinId = encodeBase64url(site.store.bundles()[0]?.pinHash ?? new Uint8Array());
    site.gateway.bundles.length = 0;
    site.gateway.changed();
    // It has ended by more than any clock can be wrong.
    site.timers.advance(25 * hourMs);
    await site.agent.syncNow();
    const later = site.gateway.newReservation();
    await deposit(site, later);
    const expiresAt = timestampFromMs(site.timers.now() + 24 * hourMs);
    await site.gateway.allowBundle(bundleId, [later], { pin, notBefore, expiresAt });
    await site.agent.syncNow();
    expect(await site.agent.present({ pin })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("SPENT");
    expect(site.store.toCollect(pinId)).toEqual([]);
    // No PIN of a bundle lasts longer than this, and what the list does not name cannot be moved.
    site.timers.advance(14 * 24 * hourMs);
    await site.agent.syncNow();
    expect(site.store.isSpent(pinId)).toBe(true);
    site.gateway.bundles.length = 0;
    site.gateway.changed();
    await site.agent.syncNow();
    expect(site.store.isSpent(pinId)).toBe(false);
  });

  it("can be collected by a delegate and then not by the recipient, and the record distinguishes them", async () => {
    const { site, begin } = await bundleSite();
    const token = await site.gateway.bundleToken(bundleId, { isDelegated: true });
    await site.agent.present({ token });
    for (const door of doors) await collect(site, site.cabinet, door);
    expect(site.gateway.events.slice(begin).every(({ delegated }) => delegated)).toBe(true);
    expect(await site.agent.present({ token: await site.gateway.bundleToken(bundleId) })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("RESERVATION_STATE");
  });

  it("opens nothing for a revoked credential after the next sync, also during a collection", async () => {
    const { site, reservationIds } = await bundleSite();
    const token = await site.gateway.bundleToken(bundleId);
    await site.agent.present({ token });
    await site.agent.flushed();
    const revoked = site.gateway.events.slice(-1).map(({ credentialHash }) => credentialHash);
    await site.gateway.allowBundle(bundleId, reservationIds, { revoked });
    await site.agent.syncNow();
    await collect(site, site.cabinet, "A1");
    expect(openDoors(site)).toEqual([]);
    expect(await site.agent.present({ token })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("REVOKED");
  });

  it("is refused as a whole if its reservations have ended", async () => {
    const { site, reservationIds } = await bundleSite();
    for (const reservationId of reservationIds) {
      await site.gateway.allowPin(reservationId, String(10_000_000 + reservationIds.indexOf(reservationId)), {
        state: ReservationState.RECALLED,
      });
    }
    await site.agent.syncNow();
    expect(await site.agent.present({ token: await site.gateway.bundleToken(bundleId) })).toEqual(notAccepted);
    expect(await lastRefusal(site)).toBe("RESERVATION_STATE");
  });

  it("hands out each parcel at most once despite power cuts, jams and forgetful people", async () => {
    const random = createRandom(testSeed());
    for (let round = 0; round < roundsHere({ short: 5, ci: 20 }); round += 1) {
      const hardware = createSimulatedCabinet({ compartments });
      let jamRate = 0;
      const open = (id: string) => (random.bool(jamRate) ? Promise.reject(new Error("jammed")) : hardware.open(id));
      const { site, reservationIds } = await bundleSite({ cabinet: { ...hardware, open } });
      jamRate = 0.15;
      const begin = site.gateway.events.length;
      const tokens = [await site.gateway.bundleToken(bundleId), await site.gateway.bundleToken(bundleId, { isDelegated: true })];
      for (let step = 0; step < 40 && hardware.contents().length > 0; step += 1) {
        const standsOpen = compartments.map(({ compartmentId }) => compartmentId).find((id) => hardware.doorState(id) === "OPEN");
        if (standsOpen !== undefined && random.bool(0.8)) {
          if (random.bool(0.8) && hardware.contents().includes(standsOpen)) hardware.takeOut(standsOpen);
          hardware.closeDoor(standsOpen);
        } else if (random.bool(0.2)) await site.restart();
        else if (random.bool(0.1)) site.timers.advance(121_000);
        else await site.agent.present({ token: random.pick(tokens) });
        await site.agent.flushed();
      }
      const collected = site.gateway.events
        .slice(begin)
        .filter(({ type }) => type === DeviceEventType.PARCEL_COLLECTED)
        .map(({ reservationId }) => reservationId);
      expect(new Set(collected).size).toBe(collected.length);
      expect(collected.every((id) => reservationIds.includes(id))).toBe(true);
      await site.agent.stop();
    }
  });
});
