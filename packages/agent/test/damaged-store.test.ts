import { copyFile, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { Act, DeviceEventType, ReservationState } from "@petak/protocol";
import { createRandom, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { openAgentStore } from "../src/index.ts";
import { deposit, diskAfterPowerCut, notAccepted, startSite, type TestSite } from "./site.ts";

/** A stopped site's store with some parcels. */
async function usedStore(): Promise<{ site: TestSite; path: string }> {
  const site = await startSite();
  for (let parcels = 0; parcels < 3; parcels += 1) await deposit(site, site.gateway.newReservation());
  for (let refusals = 0; refusals < 60; refusals += 1)
    site.store.outbox.append({ type: DeviceEventType.DOOR_REFUSED, refusal: "MALFORMED" }, site.timers.now());
  await site.stop();
  return { site, path: site.storePath };
}

function openingOf(path: string): unknown {
  try {
    openAgentStore(path).close();
    return "opened";
  } catch (error) {
    return error;
  }
}

const wayOut = "look into the compartments, move the file and its -wal file away, and enrol the device again";

describe("a store that was cut off", () => {
  it("is refused with what to do, wherever it ends", async () => {
    const { path } = await usedStore();
    const { length } = await readFile(path);
    for (const kept of [length - 1, length - 4096, Math.floor(length / 2), 4096, 100]) {
      const copy = `${path}-${kept}`;
      await copyFile(path, copy);
      await truncate(copy, kept);
      expect(openingOf(copy), `${kept} bytes`).toMatchObject({ name: "DamagedStoreError", message: expect.stringContaining(wayOut) });
    }
  });

  it("is refused if a page is half written, at whichever place it matters", async () => {
    const { path } = await usedStore();
    const random = createRandom(testSeed());
    const bytes = await readFile(path);
    const pages = bytes.length / 4096;
    for (let page = 0; page < pages; page += 1) {
      const copy = `${path}-${page}`;
      await writeFile(copy, bytes);
      const file = await open(copy, "r+");
      // The first half, which has the page's header and the places of its cells.
      await file.write(random.bytes(2048), 0, 2048, page * 4096);
      await file.close();
      const opening = openingOf(copy);
      expect(opening, `page ${page}`).toMatchObject({ name: "DamagedStoreError", message: expect.stringContaining(wayOut) });
    }
  });

  it("is refused if its write-ahead log is lost, and opens with it", async () => {
    const site = await startSite();
    await deposit(site, site.gateway.newReservation());
    const [whole, lost] = [await diskAfterPowerCut(site), await diskAfterPowerCut(site)];
    await rm(`${lost}-wal`);
    expect(openingOf(lost)).toMatchObject({
      message: `${lost} has lost its write-ahead log, and with it what was recorded last; ${wayOut}: what it had not reported is lost (docs/offline.md)`,
    });
    expect(openingOf(whole)).toBe("opened");
    // Closed in order, it needs no log.
    expect(openingOf(whole)).toBe("opened");
  });
});

describe("a new store at a site with parcels", () => {
  it("knows the parcels that were reported, opens no credential again whose use was, and doubts what is not there", async () => {
    const site = await startSite();
    const { gateway, cabinet } = site;
    const [first, second] = [gateway.newReservation(), gateway.newReservation()];
    const tokens = [await gateway.token(Act.DEPOSIT, first), await gateway.token(Act.DEPOSIT, second)];
    for (const [index, token] of tokens.entries()) {
      const shown = await site.agent.present({ token });
      if (!shown.opened) throw new Error(`deposit ${index} was refused`);
      site.useDoor(shown);
    }
    await site.agent.flushed();
    await gateway.allowPin(first, "11111111", { state: ReservationState.DEPOSITED, compartmentId: "A1" });
    await gateway.allowPin(second, "22222222", { state: ReservationState.DEPOSITED, compartmentId: "A2" });
    await site.stop();
    // Somebody has opened the second door while nobody watched.
    await cabinet.open("A2");
    cabinet.takeOut("A2");
    cabinet.closeDoor("A2");
    const fresh = await startSite({ cabinet, gateway, timers: site.timers });
    for (const token of tokens) expect(await fresh.agent.present({ token })).toEqual(notAccepted);
    expect(fresh.store.compartment("A1")).toMatchObject({ reservationId: first, condition: "OK" });
    expect(fresh.store.compartment("A2")).toMatchObject({ reservationId: second, condition: "IN_DOUBT" });
    await fresh.agent.flushed();
    expect(gateway.events.filter(({ type }) => type === DeviceEventType.DOUBT).map(({ reservationId }) => reservationId)).toEqual([second]);
  });
});
