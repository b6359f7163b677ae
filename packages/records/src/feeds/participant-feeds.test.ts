import { setTimeout as pause } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventSchema, newEventId, type Region } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createKeys, type FeedName, isStoreFailure, type Keys } from "@petak/redis";
import { Crash, crashing, createRandom, dyingAt, type Random, testSeed, useRedis } from "@petak/testkit";
import { Command } from "ioredis";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { StoredEventStream } from "../events/event-stream.ts";
import { createEventStream, type EventStream } from "../events/event-stream.ts";
import { testSiteIds } from "../testing/test-ids.ts";
import { feedId, feedsOf } from "./event-reference.ts";
import { createFeedBuilder, type FeedBuilder } from "./feed-builder.ts";
import { createFeedChunks } from "./feed-chunks.ts";
import type { FeedPosition } from "./feed-position.ts";
import { createFeedStore } from "./feed-store.ts";
import { createParticipantFeeds, type ParticipantFeeds, type ParticipantFeedsOptions } from "./participant-feeds.ts";
import { createRegionProgress } from "./region-progress.ts";

const redis = useRedis();
const couriers = ["par_courier1", "par_courier2", "par_courier3"];
const operators = ["par_operator1", "par_operator2"];
const everyone = [...couriers, ...operators].flatMap((participantId): FeedName[] => [
  { participantId, mode: "test" },
  { participantId, mode: "live" },
]);
const regions = Array.from({ length: 5 }, (_, index) => (0x836520 + index).toString(16));

let keys: Keys;
let connection: RedisConnection;
let record: StoredEventStream;
let random: Random;
/** The expected events of each region in each feed, in order. */
let expected: Map<string, Map<Region, string[]>>;

beforeEach(async () => {
  random = createRandom(testSeed());
  keys = createKeys(redis.keyPrefix);
  connection = await redis.connect();
  record = createEventStream(connection, keys, testSiteIds);
  expected = new Map();
  await connection.sadd(keys.regions(), ...regions);
  return () => connection.disconnect();
});

/** Records an event of a random region and participant, or of none. */
async function recordAny(via: EventStream = record): Promise<void> {
  const region = random.pick(regions);
  const event = create(EventSchema, {
    eventId: newEventId(region),
    participantId: random.pick([...couriers, ...operators, ""]),
    operatorId: random.pick([...operators, ""]),
    isTest: random.bool(0.7),
    recordedAt: timestampFromMs(1_790_000_000_000 + random.int(0, 1_000_000)),
  });
  await via.appendOnce(region, event.eventId, event);
  for (const feed of feedsOf(event)) {
    const ofFeed = expected.get(feedId(feed)) ?? new Map<Region, string[]>();
    expected.set(feedId(feed), ofFeed);
    ofFeed.set(region, [...(ofFeed.get(region) ?? []), event.eventId]);
  }
}

/** The builder of a gateway that has just started and may crash. */
function newBuilder(
  over: RedisConnection,
  onCrash: () => void = () => undefined,
  isFollowed: (feed: FeedName) => boolean = () => false,
): FeedBuilder {
  return createFeedBuilder({
    events: createEventStream(over, keys, testSiteIds),
    feeds: { ...createFeedStore(over, keys), isFollowed },
    progress: createRegionProgress(over, keys, testSiteIds),
    onError: (error) => {
      if (error instanceof Crash) onCrash();
      else if (!isStoreFailure(error)) throw error;
    },
  });
}

function startFeeds(options: Partial<ParticipantFeedsOptions> = {}): ParticipantFeeds {
  const feeds = createParticipantFeeds({
    redis: connection,
    connect: () => redis.connectLater(),
    keys,
    siteIds: testSiteIds,
    onError: (error) => {
      throw error;
    },
    ...options,
  });
  onTestFinished(() => feeds.stop());
  return feeds;
}

/** How long nothing is recorded before and after a loss, in ms: longer than the overlap that is read again. */
const lossMs = 400;

/** The store's keys under the test's prefix. */
async function allKeys(): Promise<string[]> {
  const ofFeeds = everyone.flatMap((feed) => [
    keys.feedHead(feed),
    keys.feedTimes(feed),
    ...[0, 1, 2].map((chunk) => keys.feedChunk(feed, chunk)),
  ]);
  const all = [...regions.flatMap((region) => [keys.events(region), keys.feedWatermarks(region)]), ...ofFeeds];
  const found = await Promise.all(all.map((key) => connection.exists(key)));
  return all.filter((_, index) => found[index] === 1);
}

/** Reads each feed, region by region. Checks that its numbers are 1, 2, 3 and so on. */
async function readAll(feeds: ParticipantFeeds) {
  const read = new Map<string, Map<Region, string[]>>();
  for (const feed of everyone) {
    let position: FeedPosition = { number: 0 };
    for (;;) {
      const { number } = position;
      const page = await feeds.readAfter(feed, position, random.int(1, 300));
      expect(page.events.map((one) => one.number)).toEqual(page.events.map((_, index) => number + index + 1));
      for (const { event } of page.events) {
        const region = event.eventId.slice(4, 10);
        const ofFeed = read.get(feedId(feed)) ?? new Map<Region, string[]>();
        read.set(feedId(feed), ofFeed);
        ofFeed.set(region, [...(ofFeed.get(region) ?? []), event.eventId]);
      }
      ({ position } = page);
      if (position.number === page.last) break;
    }
  }
  return read;
}

describe("a participant's feed", () => {
  it("has each event of its participant once, numbered from 1 without a gap, in its region's order, for every reader", async () => {
    const feeds = startFeeds();
    for (let count = 0; count < 600; count++) await recordAny();
    await Promise.all([...couriers, ...operators].map((participantId) => feeds.bringUpToDate(participantId)));
    expect(await readAll(feeds)).toEqual(expected);
  });

  it("has events that another gateway has just recorded, before that appends them", async () => {
    const feeds = startFeeds();
    const other = await redis.connect();
    const elsewhere = createEventStream(other, keys, testSiteIds);
    for (let count = 0; count < 300; count++) {
      await recordAny(elsewhere);
      const participantId = random.pick([...couriers, ...operators]);
      await feeds.bringUpToDate(participantId);
      for (const mode of ["test", "live"] as const) {
        const wanted = [...(expected.get(feedId({ participantId, mode }))?.values() ?? [])].flat().length;
        expect(await feeds.last({ participantId, mode })).toBe(wanted);
      }
    }
    other.disconnect();
  });

  it("grows by itself when the gateway that recorded the events crashed before it appended them", async () => {
    const feeds = startFeeds();
    await feeds.bringUpToDate("par_courier1");
    const other = await redis.connect();
    const following = feeds.subscribe({ participantId: "par_courier1", mode: "test" });
    const event = create(EventSchema, { eventId: newEventId("836520"), participantId: "par_courier1", isTest: true });
    await createEventStream(other, keys, testSiteIds).appendOnce("836520", "one", event);
    other.disconnect();
    expect(await following.wait(0, 10_000, [])).toBe(true);
  });

  it("is the same although builders crash before and after each of their commands, and others build concurrently", {
    timeout: 300_000,
  }, async () => {
    for (let count = 0; count < 500; count++) await recordAny();
    let deaths = 0;
    for (const isDone of [false, true]) {
      for (let atCommand = 1, died = true; died; atCommand++) {
        const dying = dyingAt(connection, { atCommand, isDone });
        died = false;
        const die = () => {
          died = true;
          deaths++;
        };
        const builder = newBuilder(dying.connection, die);
        for (let count = 0; count < 3; count++) await recordAny();
        try {
          for (const region of regions) await builder.build(region);
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
          die();
        }
        await builder.settled();
      }
    }
    expect(deaths).toBeGreaterThan(20);
    const feeds = startFeeds();
    await Promise.all([...couriers, ...operators].map((participantId) => feeds.bringUpToDate(participantId)));
    expect(await readAll(feeds)).toEqual(expected);
  });

  it("is the same although many build concurrently and crash now and then while events are recorded", async () => {
    let isOver = false;
    let deaths = 0;
    async function buildAndDie(): Promise<void> {
      while (!isOver) {
        const own = await redis.connect();
        const builder = newBuilder(crashing(own, random, 0.05));
        try {
          for (let round = 0; round < 20; round++) await Promise.all(regions.map((region) => builder.build(region)));
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
          deaths++;
        }
        await builder.settled();
        own.disconnect();
      }
    }
    const building = Array.from({ length: 4 }, buildAndDie);
    for (let count = 0; count < 300; count++) await recordAny();
    isOver = true;
    await Promise.all(building);
    expect(deaths).toBeGreaterThan(10);
    const feeds = startFeeds();
    await Promise.all([...couriers, ...operators].map((participantId) => feeds.bringUpToDate(participantId)));
    expect(await readAll(feeds)).toEqual(expected);
  });

  it("has all recorded events as soon as it is built for its followers, whenever they began to follow, whoever builds and crashes", {
    timeout: 300_000,
  }, async () => {
    let deaths = 0;
    const builders = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const own = await redis.connect();
        onTestFinished(() => own.disconnect());
        const followed = new Set<string>();
        const begin = () => newBuilder(crashing(own, random, 0.01), undefined, (feed) => followed.has(feedId(feed)));
        return { followed, begin, builder: begin() };
      }),
    );
    for (let round = 0; round < 400; round++) {
      for (let count = random.int(0, 4); count > 0; count--) await recordAny();
      const acting = random.pick(builders);
      const flipped = feedId(random.pick(everyone));
      if (random.bool(0.2) && !acting.followed.delete(flipped)) acting.followed.add(flipped);
      const region = random.pick(regions);
      try {
        const building = acting.builder.buildFollowed(region);
        await (random.bool(0.1) ? Promise.all([building, acting.builder.build(region)]) : building);
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        deaths++;
        acting.builder = acting.begin();
        continue;
      }
      for (const feed of everyone.filter((one) => acting.followed.has(feedId(one)))) {
        const entry = await createFeedStore(connection, keys).position(feed, region);
        const [last] = entry === undefined ? [] : await record.readAt(region, [entry]);
        expect(last?.event.eventId).toBe(expected.get(feedId(feed))?.get(region)?.at(-1));
      }
    }
    expect(deaths).toBeGreaterThan(0);
    const feeds = startFeeds();
    await Promise.all([...couriers, ...operators].map((participantId) => feeds.bringUpToDate(participantId)));
    expect(await readAll(feeds)).toEqual(expected);
  });

  it("is repaired if a failover has lost its end but not the region's progress", async () => {
    for (let count = 0; count < 300; count++) await recordAny();
    const builder = newBuilder(connection);
    for (const region of regions) await builder.build(region);
    const feed: FeedName = { participantId: "par_courier1", mode: "test" };
    const before = [keys.feedHead(feed), keys.feedTimes(feed), keys.feedChunk(feed, 0)];
    const kept = await Promise.all(before.map((key) => connection.dumpBuffer(key)));
    for (let count = 0; count < 100; count++) await recordAny();
    for (const region of regions) await builder.build(region);
    await connection.del(keys.feedChunk(feed, 1));
    await Promise.all(before.map((key, index) => connection.restore(key, 0, kept[index] as Buffer, "REPLACE")));

    const isByVerifying = random.bool();
    if (isByVerifying) {
      for (const region of regions) await newBuilder(connection).verify(region);
    } else {
      // Appending the region's next event detects that some are missing.
      const counts = () => regions.map((region) => expected.get(feedId(feed))?.get(region)?.length);
      const countsBefore = counts();
      while (counts().some((count, index) => count === countsBefore[index])) await recordAny();
    }
    const feeds = startFeeds();
    await Promise.all([...couriers, ...operators].map((participantId) => feeds.bringUpToDate(participantId)));
    expect(await readAll(feeds)).toEqual(expected);
  });

  it("is read without missing an event if its end was lost and other events have its numbers", async () => {
    const feed: FeedName = { participantId: "par_courier1", mode: "test" };
    const feeds = startFeeds();
    const idsOf = async (position: FeedPosition) =>
      (await feeds.readAfter(feed, position, 10_000)).events.map(({ event }) => event.eventId);
    const logAll = async (count: number) => {
      for (let index = 0; index < count; index++) await recordAny();
      await Promise.all(regions.map((region) => feeds.build(region)));
    };
    await logAll(random.int(50, 600));
    // What remains after a power failure: the state of a while ago.
    const kept = await Promise.all((await allKeys()).map(async (key) => ({ key, bytes: await connection.dumpBuffer(key) })));
    await pause(lossMs);
    await logAll(random.int(20, 200));
    const { position } = await feeds.readAfter(feed, { number: 0 }, 10_000);
    await Promise.all((await allKeys()).map((key) => connection.del(key)));
    await Promise.all(kept.map(({ key, bytes }) => connection.restore(key, 0, bytes, "REPLACE")));
    const before = new Set(await idsOf({ number: 0 }));
    await pause(lossMs);
    // In another gateway: the events that this one has received do not exist any more.
    for (let index = random.int(1, 400); index > 0; index--) await recordAny();
    const other = newBuilder(connection);
    for (const region of regions) await other.build(region);
    const fresh = (await idsOf({ number: 0 })).filter((id) => !before.has(id));
    expect(await idsOf(position)).toEqual(fresh);
  });

  it("is read without missing an event that replicas acknowledged late and that was appended first after its end was lost", async () => {
    const [slow = "", prompt = ""] = regions;
    const feed: FeedName = { participantId: "par_courier1", mode: "test" };
    const recordIn = async (region: Region) => {
      const event = create(EventSchema, { eventId: newEventId(region), participantId: feed.participantId, isTest: true });
      await record.appendOnce(region, event.eventId, event);
      return event.eventId;
    };
    let confirmed = Promise.resolve();
    const acknowledge = async <Answer>(work: () => Promise<Answer>) => {
      const own = confirmed;
      const answer = await work();
      await own;
      return answer;
    };
    const feeds = startFeeds({ acknowledge, acknowledgedWithinMs: 1000 });
    const { promise, resolve: confirm } = Promise.withResolvers<void>();
    confirmed = promise;
    const late = await recordIn(slow);
    const logging = feeds.build(slow);
    confirmed = Promise.resolve();
    await pause(lossMs);
    const soon = await recordIn(prompt);
    await feeds.build(prompt);
    const { position } = await feeds.readAfter(feed, { number: 0 }, 10);
    expect(position.number).toBe(1);
    await Promise.all([keys.feedHead(feed), keys.feedTimes(feed), keys.feedChunk(feed, 0)].map((key) => connection.del(key)));
    confirm();
    await logging;
    await newBuilder(connection).verify(prompt);
    const { events } = await feeds.readAfter(feed, position, 10);
    expect(events.map(({ event }) => event.eventId)).toEqual([late, soon]);
  });

  it("reads few of its chunks to find where to continue, whatever cursor a caller invents", async () => {
    const feed: FeedName = { participantId: "par_courier1", mode: "test" };
    const chunks = 100;
    const store = createFeedStore(connection, keys);
    const startMs = 1_790_000_000_000;
    const items = Array.from({ length: 256 * chunks - 10 }, (_, index) => ({ entry: `${startMs + index}-0`, recordedMs: startMs }));
    for (let start = 0; start < items.length; start += 200) await store.append(feed, "836520", undefined, items.slice(start, start + 200));
    let reads = 0;
    const counting = new Proxy(connection, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name === "getrangeBuffer") reads++;
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const feeds = createParticipantFeeds({
      redis: counting,
      connect: () => redis.connectLater(),
      keys,
      siteIds: testSiteIds,
      onError: () => undefined,
    });
    onTestFinished(() => feeds.stop());
    const numbers = [0, 1, 255, 256, 257, 300, 5000, 12_800, items.length - 300, items.length - 1, items.length];
    for (const read of [...numbers, random.int(0, items.length), random.int(0, items.length)]) {
      reads = 0;
      // An event a quarter of a second older than the newest one that was read may be unread.
      const position = { number: items.length, checksum: { check: "00000000", count: 1, newestMs: startMs + read - 1 + 250 } };
      const page = await feeds.readAfter(feed, position, 1);
      expect(page.position.number).toBe(Math.min(read + 1, items.length));
      expect(reads).toBeLessThan(20);
    }
  });

  it("grows while the feed of another cannot be written, and that one has everything in order once it can", async () => {
    const lame = "par_courier2";
    let isUnreachable = true;
    const halting = new Proxy(connection, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]): unknown => {
          const [command] = args;
          const [, , key] = command instanceof Command ? command.args : [];
          return isUnreachable && String(key).includes(lame)
            ? Promise.reject(new Error("unreachable"))
            : Reflect.apply(value, target, args);
        };
      },
    });
    const builder = newBuilder(halting);
    const buildAll = () => Promise.allSettled(regions.map((region) => builder.build(region)));
    for (let round = 0; round < 8; round++) {
      for (let count = 0; count < 150; count++) await recordAny();
      await buildAll();
    }
    expect(regions.map((region) => [builder.lacks(region, lame), builder.lacks(region, "par_courier1")])).toEqual(
      regions.map(() => [true, false]),
    );
    const store = createFeedStore(connection, keys);
    const feed: FeedName = { participantId: "par_courier1", mode: "test" };
    expect(await store.last(feed)).toBe([...(expected.get(feedId(feed))?.values() ?? [])].flat().length);
    isUnreachable = false;
    await expect.poll(async () => (await buildAll()).map(({ status }) => status)).toEqual(regions.map(() => "fulfilled"));
    expect(await readAll(startFeeds())).toEqual(expected);
  });

  it("is not built repeatedly while the feed watermark cannot be advanced, and has everything once it can", async () => {
    const [region = ""] = regions;
    let isRefused = true;
    let commands = 0;
    const refusing = new Proxy(connection, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]): unknown => {
          commands++;
          const [command] = args;
          const [, count, key] = command instanceof Command ? command.args : [];
          const isMark = Number(count) === 1 && String(key) === keys.feedWatermarks(region);
          return isRefused && isMark ? Promise.reject(new Error("MISCONF refused")) : Reflect.apply(value, target, args);
        };
      },
    });
    // More than one round of building.
    while ((await connection.xlen(keys.events(region))) < 250) await recordAny();
    const builder = newBuilder(refusing);
    await expect(builder.build(region)).rejects.toThrow("MISCONF");
    expect(commands).toBeLessThan(100);
    isRefused = false;
    for (const one of regions) await builder.build(one);
    expect(await readAll(startFeeds())).toEqual(expected);
  });

  it("skips events that cannot be read, and has the rest", async () => {
    const [region = ""] = regions;
    const errors: unknown[] = [];
    const builder = createFeedBuilder({
      events: record,
      feeds: { ...createFeedStore(connection, keys), isFollowed: () => false },
      progress: createRegionProgress(connection, keys, testSiteIds),
      onError: (error) => errors.push(error),
    });
    await connection.xadd(keys.events(region), "*", "event", Buffer.from([0xff]));
    for (let count = 0; count < 20; count++) await recordAny();
    for (const one of regions) await builder.build(one);
    expect(errors.length).toBe(1);
    expect(await readAll(startFeeds())).toEqual(expected);
  });

  it("is read after a chunk that is stored nowhere any more, without skipping an event of the next", async () => {
    const [region = ""] = regions;
    const feed: FeedName = { participantId: "par_courier1", mode: "test" };
    const ids: string[] = [];
    for (let index = 0; index < 300; index++) {
      const event = create(EventSchema, { eventId: newEventId(region), participantId: feed.participantId, isTest: true });
      await record.appendOnce(region, event.eventId, event);
      ids.push(event.eventId);
    }
    const feeds = startFeeds();
    await feeds.build(region);
    const chunks = createFeedChunks(connection, keys, testSiteIds);
    for (const chunk of await chunks.before(feed, Number.POSITIVE_INFINITY, 1)) expect(await chunks.delete(feed, chunk)).toBe(true);
    const read: string[] = [];
    for (let position: FeedPosition = { number: 0 }; position.number < 300; ) {
      const page = await feeds.readAfter(feed, position, 100);
      read.push(...page.events.map(({ event }) => event.eventId));
      ({ position } = page);
    }
    expect(read).toEqual(ids.slice(256));
  });

  it("takes little memory: 14 bytes for each of many events", async () => {
    const store = createFeedStore(connection, keys);
    const feed: FeedName = { participantId: "par_courier1", mode: "test" };
    const items = Array.from({ length: 256 * 20 }, (_, index) => ({
      entry: `${1_790_000_000_000 + index}-0`,
      recordedMs: 1_790_000_000_000,
    }));
    for (let start = 0; start < items.length; start += 200) await store.append(feed, "836520", undefined, items.slice(start, start + 200));
    expect(await store.last(feed)).toBe(items.length);
    const all = [keys.feedHead(feed), keys.feedTimes(feed), ...Array.from({ length: 20 }, (_, chunk) => keys.feedChunk(feed, chunk))];
    const bytes = await Promise.all(all.map((key) => connection.memory("USAGE", key)));
    expect(bytes.reduce<number>((sum, one) => sum + Number(one), 0) / items.length).toBeLessThan(15);
  });
});
