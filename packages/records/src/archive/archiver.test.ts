import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { ReservationState } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createRandom, tempDir, testSeed, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { firstEntry } from "../encoding/stream-entry.ts";
import { createParticipantFeeds } from "../feeds/participant-feeds.ts";
import { diskFiles } from "./files/archive-files.ts";
import { dateAt, dayMs } from "./files/archive-layout.ts";
import { entryOf, isEventLine } from "./files/archive-line.ts";
import { type ArchiveWorld, courier, openArchiveWorld, readOn, region, retentionMs } from "./testing/archive-world.ts";

const redis = useRedis();
const { CANCELLED, COLLECTED, CONFIRMED, DEPOSITED, IN_DOUBT } = ReservationState;
const hourMs = 3_600_000;
const whole = [CONFIRMED, DEPOSITED, COLLECTED];
let connection: RedisConnection;
let world: ArchiveWorld;

beforeEach(async () => {
  connection = await redis.connect();
  world = await openArchiveWorld(redis, connection, await tempDir());
});
afterEach(() => connection.disconnect());

/** The entries in the region's stream. */
async function inStream(): Promise<string[]> {
  return (await redis.client.xrange(world.keys.events(region), "-", "+")).map(([entry]) => entry);
}

/** The reservations in the store. */
async function inRecords(): Promise<string[]> {
  const found = await Promise.all(world.ids.map(async (id) => ((await world.records.reservations.find(id)) === undefined ? [] : [id])));
  return found.flat();
}

describe("archiving", () => {
  it("archives a day as soon as its retention has passed, and not before", async () => {
    const { reservationId } = await world.live(whole);
    const endMs = Date.parse(`${dateAt(world.clock.now())}T00:00:00Z`) + dayMs;
    await world.pass(endMs + retentionMs - 1 - world.clock.now());
    expect(await world.archiver().once()).toBe(0);
    expect(await inRecords()).toEqual([reservationId]);
    await world.pass(1);
    expect(await world.archiver().once()).toBe(1);
    expect([await inRecords(), await inStream()]).toEqual([[], []]);
  });

  it("does not change a byte of what is read: reservations, chains, and the events from every cursor", async () => {
    const random = createRandom(testSeed());
    const lives = [whole, [CANCELLED], [CONFIRMED, CANCELLED], [CONFIRMED, DEPOSITED], [CONFIRMED], whole.slice(0, 1), []];
    for (let count = 0; count < 70; count++) {
      await world.live(random.pick(lives));
      await world.pass(random.int(0, 4 * hourMs));
    }
    const before = await world.readContent(world.records);
    const pages = await readOn(world.records, firstEntry, 1);
    expect(await world.archiver({ memberChars: 5000 }).once()).toBeGreaterThan(1);
    expect(await world.readContent()).toEqual(before);
    // A part is archived, and reading continues from every position.
    expect((await inStream()).length).toBeGreaterThan(0);
    expect((await inStream()).length).toBeLessThan(before.events.length);
    for (let round = 0; round < 20; round++) {
      const index = random.int(0, pages.length - 1);
      const rest = await readOn(world.reading(), pages[index]?.entry ?? firstEntry, random.int(1, 50));
      expect(rest.map(({ bytes }) => bytes)).toEqual(before.events.slice(index + 1));
    }
  });

  it("does not change the participants' feeds, whichever part of them is archived", async () => {
    const feeds = createParticipantFeeds({
      redis: connection,
      connect: () => redis.connectLater(),
      keys: world.keys,
      siteIds: world.records.siteIds,
      events: world.reading().events,
      onError: (error) => {
        throw error;
      },
    });
    onTestFinished(() => feeds.stop());
    for (let count = 0; count < 30; count++) {
      await world.live([CONFIRMED, CANCELLED]);
      await world.pass(3 * hourMs);
    }
    const feed = { participantId: courier.participantId, mode: "test" } as const;
    await feeds.bringUpToDate(feed.participantId);
    const before = await feeds.readAfter(feed, { number: 0 }, 1000);
    expect(before.events.map(({ number }) => number)).toEqual(Array.from({ length: 90 }, (_, index) => index + 1));
    await world.archiver({ settle: feeds.build }).once();
    expect((await inStream()).length).toBeLessThan(80);
    expect((await inStream()).length).toBeGreaterThan(0);
    expect(await feeds.readAfter(feed, { number: 0 }, 1000)).toEqual(before);
  });

  it("deletes no event that is not in all feeds", async () => {
    await world.live(whole);
    await world.pass(4 * dayMs);
    const failures: unknown[] = [];
    const away = new Error("away");
    const archiver = world.archiver({ settle: () => Promise.reject(away), onFailure: (error) => failures.push(error) });
    expect([await archiver.once(), failures]).toEqual([0, [away]]);
    expect((await inStream()).length).toBe(4);
  });

  it("writes one file a day that `zcat` reads, with each event once and in order, and the reservations that ended with it", async () => {
    for (let count = 0; count < 10; count++) await world.live(whole);
    const date = dateAt(world.clock.now());
    await world.pass(4 * dayMs);
    await world.archiver({ memberChars: 2000 }).once();
    expect(await diskFiles.names(world.layout.dayDir(region, date))).toEqual(["events.ndjson.gz", "manifest.json"]);
    const text = gunzipSync(await readFile(world.layout.data(region, date))).toString();
    const lines = text.trimEnd().split("\n");
    const entries = lines.filter(isEventLine).map(entryOf);
    expect(entries).toHaveLength(40);
    expect(new Set(entries).size).toBe(40);
    expect(entries).toEqual([...entries].sort());
    const reservations = lines.filter((line) => !isEventLine(line)).map((line) => JSON.parse(line));
    expect(reservations.map(({ reservation }) => reservation.reservationId)).toEqual(world.ids);
    expect(reservations.every(({ chain }) => chain.length === 4)).toBe(true);
  });

  it("keeps a reservation that has not ended, and archives it with the day of its end", async () => {
    const inside = await world.live([CONFIRMED, DEPOSITED]);
    const told = await world.readContent(world.records);
    await world.pass(10 * dayMs);
    await world.archiver().once();
    expect(await inRecords()).toEqual([inside.reservationId]);
    expect(await world.readContent()).toEqual(told);
    await world.transition(inside, COLLECTED);
    const after = await world.readContent();
    expect(after.chains[inside.reservationId]).toHaveLength(4);
    await world.pass(4 * dayMs);
    await world.archiver().once();
    expect([await inRecords(), await inStream()]).toEqual([[], []]);
    expect(await world.readContent()).toEqual(after);
  });

  it("restores a reservation for a late report, and archives it again with its whole chain", async () => {
    const cancelled = await world.live([CONFIRMED, CANCELLED]);
    await world.pass(5 * dayMs);
    await world.archiver().once();
    expect(await inRecords()).toEqual([]);
    const doubt = await world.transition(cancelled, IN_DOUBT);
    expect(await inRecords()).toEqual([cancelled.reservationId]);
    expect((await world.reading().events.chain(cancelled.reservationId)).map(({ stateAfter }) => stateAfter)).toEqual([
      ReservationState.HELD,
      CONFIRMED,
      CANCELLED,
      IN_DOUBT,
    ]);
    await world.transition(doubt, COLLECTED);
    const told = await world.readContent();
    await world.pass(5 * dayMs);
    await world.archiver().once();
    expect(await inRecords()).toEqual([]);
    expect(await world.readContent()).toEqual(told);
  });

  it("does nothing if the retention has not passed by the server's clock, whatever the gateway's clock says", async () => {
    await world.live(whole);
    const serverTimeMs = world.clock.now();
    await world.pass(100 * dayMs);
    expect(await world.archiver({ serverTimeMs: async () => serverTimeMs }).once()).toBe(0);
    expect(await inRecords()).toHaveLength(1);
  });

  it("records nothing in an archived day, even if the server's clock is set back", async () => {
    await world.live(whole);
    const endMs = Date.parse(`${dateAt(world.clock.now())}T00:00:00Z`) + dayMs;
    world.clock.advance(5 * dayMs);
    // The server continues with its last entry id.
    await world.archiver().once();
    await world.live([CANCELLED]);
    expect((await inStream()).every((entry) => Number.parseInt(entry, 10) >= endMs)).toBe(true);
    expect((await world.readContent()).events).toHaveLength(6);
  });
});
