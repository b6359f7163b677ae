import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { ReservationState } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { crashing, createRandom, dies, roundsHere, tempDir, testSeed, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Records } from "../records.ts";
import { diskFiles } from "./files/archive-files.ts";
import { dateOfName, dayMs } from "./files/archive-layout.ts";
import { entryOf, isEventLine } from "./files/archive-line.ts";
import { type ArchiveWorld, openArchiveWorld, region } from "./testing/archive-world.ts";
import { createMortal, type DeathMoment } from "./testing/mortal.ts";

const redis = useRedis();
const { CANCELLED, COLLECTED, CONFIRMED, DEPOSITED } = ReservationState;
const whole = [CONFIRMED, DEPOSITED, COLLECTED];
/** The distance between the steps at which the process crashes. */
const stride = roundsHere({ short: 12, ci: 6, long: 1 });
let connection: RedisConnection;

beforeEach(async () => {
  connection = await redis.connect();
  connection.setMaxListeners(0);
});
afterEach(() => connection.disconnect());

/** A world with two days to archive, and reservations that stay. */
async function worldWithTwoDays(name: string): Promise<ArchiveWorld> {
  const world = await openArchiveWorld({ client: redis.client, keyPrefix: `${redis.keyPrefix}${name}:` }, connection, await tempDir());
  await world.live(whole);
  await world.live([CANCELLED]);
  await world.live([CONFIRMED, DEPOSITED]);
  await world.pass(dayMs);
  await world.live(whole);
  await world.live([CONFIRMED]);
  await world.pass(4 * dayMs);
  return world;
}

/** Deletes the lease of a crashed process instead of waiting for it to expire. */
async function endLease({ keys }: ArchiveWorld): Promise<void> {
  await redis.client.del(keys.archiveLease(region));
}

/** All entries, in the files and in the stream. */
async function entriesEverywhere({ keys, layout }: ArchiveWorld): Promise<string[]> {
  const entries: string[] = [];
  for (const name of await diskFiles.names(layout.regionDir(region))) {
    const date = dateOfName(name);
    if (date === undefined) continue;
    expect(await diskFiles.names(join(layout.regionDir(region), name))).toEqual(["events.ndjson.gz", "manifest.json"]);
    const lines = gunzipSync(await readFile(layout.data(region, date)))
      .toString()
      .trimEnd()
      .split("\n");
    entries.push(...lines.filter(isEventLine).map(entryOf));
  }
  const inStream = await redis.client.xrange(keys.events(region), "-", "+");
  return [...entries, ...inStream.map(([entry]) => entry)];
}

/** Checks that everything is in the right place exactly once after all days were archived. */
async function expectArchived(world: ArchiveWorld): Promise<void> {
  const entries = await entriesEverywhere(world);
  expect(entries).toHaveLength(4 + 2 + 3 + 4 + 2);
  expect(new Set(entries).size).toBe(entries.length);
  const inRecords = await Promise.all(world.ids.map(async (id) => (await world.records.reservations.find(id)) !== undefined));
  expect(inRecords).toEqual([false, false, true, false, true]);
}

describe("an archiver that crashes", () => {
  it.each<DeathMoment>(["before", "done"])(
    "loses and duplicates nothing, at whichever step it crashes (%s), and another completes its work",
    async (moment) => {
      const random = createRandom(testSeed());
      let stepsSeen = 0;
      for (let atStep = 1 + random.int(0, stride - 1); ; atStep += stride) {
        const world = await worldWithTwoDays(`${moment}${atStep}`);
        const before = await world.readContent(world.records);
        const mortal = createMortal(connection, diskFiles, atStep, moment);
        const archiver = world.archiver({ files: mortal.files, memberChars: 1500 }, mortal.connection);
        const died = await dies(archiver.once());
        expect(died || mortal.isDead).toBe(mortal.isDead);
        stepsSeen = Math.max(stepsSeen, mortal.steps.length);
        // Readers find everything at this point too.
        expect(await world.readContent()).toEqual(before);
        await endLease(world);
        await world.archiver({ memberChars: 1500 }).once();
        expect(await world.readContent()).toEqual(before);
        await expectArchived(world);
        if (!mortal.isDead) break;
      }
      expect(stepsSeen).toBeGreaterThan(60);
    },
    120_000,
  );

  it("does not disturb three others that work on the same days concurrently without a lease and crash now and then", async () => {
    const random = createRandom(testSeed());
    for (let round = 0; round < roundsHere({ short: 2, ci: 8 }); round++) {
      const world = await worldWithTwoDays(`rush${round}`);
      const before = await world.readContent(world.records);
      const work = async () => {
        for (let life = 0; life < 20; life++) {
          const dying = crashing(connection, random, 0.05);
          const archiver = world.archiver({ memberChars: 1500, records: withoutLease(world.records, dying, world) });
          // A day that another has just finished or restarted causes an error, and is left to the next round.
          await archiver.once().catch(() => undefined);
        }
      };
      await Promise.all([work(), work(), work(), (async () => expect(await world.readContent()).toEqual(before))()]);
      await endLease(world);
      await world.archiver().once();
      expect(await world.readContent()).toEqual(before);
      await expectArchived(world);
    }
  });
});

/** Records whose archiving needs no lease. */
function withoutLease(
  records: Records,
  dying: RedisConnection,
  world: ArchiveWorld,
): Pick<Records, "archive" | "auditLog" | "bundles" | "events" | "feedChunks"> {
  const { archive, auditLog, bundles, feedChunks } = world.over(dying);
  return {
    events: records.events,
    bundles,
    feedChunks,
    auditLog,
    archive: { ...archive, lease: async () => "acquired", releaseLease: async () => undefined },
  };
}
