import { once } from "node:events";
import { create } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { EventSchema, newEventId, type Region } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createKeys, type FeedName, isStoreFailure, type Keys } from "@petak/redis";
import { createRandom, type Random, testSeed, useRedis } from "@petak/testkit";
import type { Command } from "ioredis";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { encodeEvent } from "../encoding/event-bytes.ts";
import { createEventStream } from "../events/event-stream.ts";
import { testSiteIds } from "../testing/test-ids.ts";
import type { NumberedEvent } from "./feed-pages.ts";
import type { FeedPosition } from "./feed-position.ts";

import { createParticipantFeeds, type ParticipantFeeds } from "./participant-feeds.ts";

const redis = useRedis();
const feed: FeedName = { participantId: "par_courier", mode: "test" };
const regions: Region[] = ["836520", "836521", "836522"];

let keys: Keys;
let random: Random;

beforeEach(() => {
  keys = createKeys(redis.keyPrefix);
  random = createRandom(testSeed());
});

interface Process {
  /** How often it has read a feed from Redis. */
  reads(): number;
  feeds: ParticipantFeeds;
  /** Records an event of the participant, even if the connection is lost meanwhile. */
  record(region?: Region): Promise<void>;
  /** Delays the replies to appends from now on. Returns the function that lets them through. */
  holdAppended(): () => void;
  /** Closes the connection, which reconnects by itself. */
  loseConnection(): Promise<void>;
}

async function startProcess(
  onError: (error: unknown) => void = (error) => {
    throw error;
  },
): Promise<Process> {
  const connection = await redis.connect();
  let reads = 0;
  let released = Promise.resolve();
  const watched: RedisConnection = new Proxy(connection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === "getrangeBuffer") reads++;
      if (name === "sendCommand") {
        return async (command: Command) => {
          const reply = await target.sendCommand(command);
          if (command.args[2] === keys.feedHead(feed)) await released;
          return reply;
        };
      }
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const recorded = createEventStream(watched, keys, testSiteIds);
  await connection.sadd(keys.regions(), ...regions);
  const feeds = createParticipantFeeds({
    redis: watched,
    connect: () => redis.connectLater(),
    keys,
    siteIds: testSiteIds,
    onError,
  });
  onTestFinished(async () => {
    await feeds.stop();
    connection.disconnect();
  });
  return {
    reads: () => reads,
    feeds,
    async record(region = random.pick(regions)) {
      const event = create(EventSchema, { eventId: newEventId(region), isTest: true, ...feed });
      for (;;) {
        try {
          await recorded.appendOnce(region, event.eventId, event);
          return;
        } catch (error) {
          if (!isStoreFailure(error)) throw error;
          if (connection.status !== "ready") await once(connection, "ready");
        }
      }
    },
    holdAppended() {
      const { promise, resolve } = Promise.withResolvers<void>();
      released = promise;
      return resolve;
    },
    async loseConnection() {
      const ready = once(connection, "ready");
      connection.disconnect(true);
      await ready;
    },
  };
}

/** Follows the feed from its beginning until it has read a number of events. */
async function follow({ feeds }: Process, count: number): Promise<NumberedEvent[]> {
  const subscription = feeds.subscribe(feed);
  const events: NumberedEvent[] = [];
  let position: FeedPosition = { number: 0 };
  while (events.length < count) {
    await subscription.wait(position.number, 1000, []);
    try {
      const page = await feeds.readAfter(feed, position, random.int(1, 50));
      events.push(...page.events);
      ({ position } = page);
    } catch (error) {
      if (!isStoreFailure(error)) throw error;
    }
  }
  subscription.close();
  return events;
}

describe("a followed feed", () => {
  it("is the same for all subscribers as in Redis, whichever gateway appends and even if connections are lost", {
    timeout: 300_000,
  }, async () => {
    const processes = await Promise.all([startProcess(), startProcess(), startProcess()]);
    const each = 150;
    const following = processes.map((process) => follow(process, each * processes.length));
    let isOver = false;
    const losing = (async () => {
      // Lost connections of a cluster have their own tests.
      while (!isOver && !redis.isCluster) await random.pick(processes).loseConnection();
    })();
    await Promise.all(
      processes.map(async (process) => {
        for (let left = each; left > 0; ) {
          const burst = Math.min(left, random.int(1, 20));
          await Promise.all(Array.from({ length: burst }, () => process.record()));
          left -= burst;
        }
      }),
    );
    isOver = true;
    const followed = await Promise.all(following);
    await losing;
    const { feeds } = await startProcess();
    const { events } = await feeds.readAfter(feed, { number: 0 }, 10_000);
    const told = (some: readonly NumberedEvent[]) => some.map(({ number, event }) => `${number} ${event.eventId}`);
    expect(events.map(({ number }) => number)).toEqual(Array.from({ length: each * processes.length }, (_, index) => index + 1));
    for (const some of followed) expect(told(some)).toEqual(told(events));
  });

  it("is not read from Redis when it grows", async () => {
    const process = await startProcess();
    const count = 100;
    const following = follow(process, count);
    for (let index = 0; index < count; index++) await process.record();
    expect((await following).map(({ number }) => number)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    // Before the end of the feed is known.
    expect(process.reads()).toBeLessThan(5);
  });

  it("wakes subscribers for an append of another gateway that is reported before the reply to an own append", async () => {
    const [own, other] = await Promise.all([startProcess(), startProcess()]);
    const [following, news] = [own.feeds.subscribe(feed), other.feeds.subscribe(feed)];
    const { position } = await own.feeds.readAfter(feed, { number: 0 }, 10);
    const release = own.holdAppended();
    await own.record("836520");
    expect(await news.wait(0, 10_000, [])).toBe(true);
    await other.record("836520");
    expect(await following.wait(1, 10_000, [])).toBe(true);
    release();
    const page = await own.feeds.readAfter(feed, position, 1);
    expect(page.position.number).toBe(1);
    expect(await following.wait(1, 1000, [])).toBe(true);
    expect((await own.feeds.readAfter(feed, page.position, 10)).events.map(({ number }) => number)).toEqual([2]);
  });

  it("is not read from Redis when another gateway records events and this one appends them for its subscribers", async () => {
    const [recording, following] = await Promise.all([startProcess(), startProcess()]);
    // It appends nothing itself: what is appended by another gateway has to be read.
    await recording.feeds.stop();
    const count = 100;
    const followed = follow(following, count);
    await following.feeds.bringUpToDate(feed.participantId);
    for (let index = 0; index < count; index++) await recording.record();
    expect((await followed).map(({ number }) => number)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    // Before the end of the feed is known.
    expect(following.reads()).toBeLessThan(5);
  });

  it("continues after an event that cannot be read", async () => {
    const defects: unknown[] = [];
    const process = await startProcess((error) => defects.push(error));
    const region = random.pick(regions);
    const broken = Buffer.concat([
      encodeEvent(create(EventSchema, { isTest: true, ...feed }), testSiteIds),
      // The actor is no message.
      Buffer.from([EventSchema.field.actor.number * 8 + WireType.LengthDelimited, 1, 0xff]),
    ]);
    const following = follow(process, 2);
    await process.record(region);
    await process.feeds.build(region);
    await redis.client.xadd(keys.events(region), "*", "event", broken);
    await process.feeds.build(region);
    await process.record();
    expect((await following).map(({ number }) => number)).toEqual([1, 3]);
    const { events } = await process.feeds.readAfter(feed, { number: 0 }, 10);
    expect(events.map(({ number }) => number)).toEqual([1, 3]);
    expect(defects.length).toBeGreaterThan(0);
  });
});
