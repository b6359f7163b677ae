import { rm } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventSchema, newEventId } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createRandom, dies, roundsHere, tempDir, testSeed, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeEvent } from "../encoding/event-bytes.ts";
import { createParticipantFeeds, type ParticipantFeeds } from "../feeds/participant-feeds.ts";
import { archiveFeeds } from "./feed-archiver.ts";
import { diskFiles } from "./files/archive-files.ts";
import { dayMs } from "./files/archive-layout.ts";
import { feedFiles } from "./files/feed-file.ts";
import { type ArchiveWorld, courier, openArchiveWorld, region, retentionMs } from "./testing/archive-world.ts";
import { createMortal, type DeathMoment } from "./testing/mortal.ts";

const redis = useRedis();
/** The distance between the steps at which the process crashes. */
const stride = roundsHere({ short: 4, ci: 1 });
const feed = { participantId: courier.participantId, mode: "test" } as const;
let connection: RedisConnection;
let world: ArchiveWorld;
let feeds: ParticipantFeeds;

beforeEach(async () => {
  connection = await redis.connect();
  connection.setMaxListeners(0);
  await begin("first");
});
afterEach(async () => {
  await feeds.stop();
  connection.disconnect();
});

/** Three days of 300 events of the courier: three full chunks and a part of one. */
async function begin(name: string): Promise<void> {
  world = await openArchiveWorld({ client: redis.client, keyPrefix: `${redis.keyPrefix}${name}:` }, connection, await tempDir());
  const { clock, keys, records } = world;
  const { events, feedArchive } = world.reading();
  feeds = createParticipantFeeds({
    redis: connection,
    connect: () => redis.connectLater(),
    keys,
    siteIds: records.siteIds,
    events,
    archive: feedArchive,
    onError: (error) => {
      throw error;
    },
  });
  for (let day = 0; day < 3; day++) {
    const writing = redis.client.pipeline();
    for (let count = 0; count < 300; count++) {
      const event = create(EventSchema, {
        eventId: newEventId(region),
        participantId: courier.participantId,
        isTest: true,
        recordedAt: timestampFromMs(clock.now()),
      });
      writing.xadd(keys.events(region), `${clock.now()}-*`, "event", encodeEvent(event, records.siteIds));
    }
    await writing.exec();
    await feeds.build(region);
    await world.pass(dayMs);
  }
  await world.pass(2 * dayMs);
}

const all = async () => ({ page: await feeds.readAfter(feed, { number: 0 }, 1000), times: await feeds.times(feed) });

async function chunksHere(): Promise<number[]> {
  const there = await Promise.all([0, 1, 2, 3].map((chunk) => redis.client.exists(world.keys.feedChunk(feed, chunk))));
  return there.flatMap((isThere, chunk) => (isThere === 1 ? [chunk] : []));
}

const options = (over: Partial<Parameters<typeof archiveFeeds>[0]> = {}) => ({
  records: world.records,
  files: diskFiles,
  layout: world.layout,
  retentionMs,
  onFailure: (error: unknown) => {
    throw error;
  },
  ...over,
});

describe("archiving participants' feeds", () => {
  it("archives full chunks once the retention of their last day has passed, and reads them as before", async () => {
    const before = await all();
    expect(before.page.events.map(({ number }) => number)).toEqual(Array.from({ length: 900 }, (_, index) => index + 1));
    await archiveFeeds(options(), world.clock.now() - 3 * dayMs);
    expect(await chunksHere()).toEqual([0, 1, 2, 3]);
    await archiveFeeds(options(), world.clock.now() - dayMs);
    expect(await chunksHere()).toEqual([2, 3]);
    expect(await all()).toEqual(before);
    // The events are archived too.
    await world.archiver({ settle: feeds.build }).once();
    expect(await chunksHere()).toEqual([3]);
    expect(await feedFiles(diskFiles, world.layout, feed)).toMatchObject([
      { first: 0, last: 1 },
      { first: 2, last: 2 },
    ]);
    expect(await all()).toEqual(before);
    expect((await feeds.readAfter(feed, { number: 500 }, 30)).events.map(({ number }) => number)).toEqual(
      Array.from({ length: 30 }, (_, index) => 501 + index),
    );
  });

  it.each<DeathMoment>(["before", "done"])(
    "loses and duplicates no number, at whichever step it crashes (%s), and another completes its work",
    async (moment) => {
      const random = createRandom(testSeed());
      for (let atStep = random.int(1, stride); ; atStep += stride) {
        await feeds.stop();
        await begin(`${moment}${atStep}`);
        const before = await all();
        const mortal = createMortal(connection, diskFiles, atStep, moment);
        const work = archiveFeeds(options({ records: world.over(mortal.connection), files: mortal.files }), world.clock.now());
        await dies(work);
        expect(await all()).toEqual(before);
        await archiveFeeds(options(), world.clock.now());
        expect(await chunksHere()).toEqual([3]);
        expect(await all()).toEqual(before);
        if (!mortal.isDead) break;
      }
    },
    120_000,
  );

  it("does not skip chunks that cannot be read", async () => {
    await archiveFeeds(options(), world.clock.now());
    await rm(join(world.layout.feedDir(feed)), { recursive: true });
    await expect(feeds.readAfter(feed, { number: 0 }, 10)).rejects.toMatchObject({ reason: "ARCHIVE_UNAVAILABLE" });
    expect((await feeds.readAfter(feed, { number: 768 }, 10)).events).toHaveLength(10);
  });

  it("does not delete a chunk that differs from the archive", async () => {
    const key = world.keys.feedChunk(feed, 1);
    const kept = (await redis.client.getBuffer(key)) ?? Buffer.alloc(0);
    await archiveFeeds(options(), world.clock.now());
    await redis.client.set(key, Buffer.alloc(kept.length, 1));
    await redis.client.hset(world.keys.feedTimes(feed), "1", Buffer.alloc(12));
    await expect(archiveFeeds(options(), world.clock.now())).rejects.toThrow(/differs from the archive; it was not deleted/);
    expect(await chunksHere()).toEqual([1, 3]);
  });
});
