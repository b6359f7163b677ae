import { create } from "@bufbuild/protobuf";
import { EventSchema, newEventId } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createKeys, type FeedName, type Keys } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import type { StoredEventStream } from "../events/event-stream.ts";
import { createEventStream } from "../events/event-stream.ts";
import { testSiteIds } from "../testing/test-ids.ts";
import { createFeedBuilder, type FeedBuilder } from "./feed-builder.ts";

import { createFeedStore, type FeedStore } from "./feed-store.ts";
import { createRegionProgress } from "./region-progress.ts";

const redis = useRedis();
const region = "836520";
const feed: FeedName = { participantId: "par_courier", mode: "test" };
const other: FeedName = { participantId: "par_operator", mode: "test" };

let keys: Keys;
let connection: RedisConnection;
let events: StoredEventStream;
let store: FeedStore;

beforeEach(async () => {
  keys = createKeys(redis.keyPrefix);
  connection = await redis.connect();
  events = createEventStream(connection, keys, testSiteIds);
  store = createFeedStore(connection, keys);
  return () => connection.disconnect();
});

async function record(operatorId = ""): Promise<void> {
  const event = create(EventSchema, { eventId: newEventId(region), participantId: feed.participantId, operatorId, isTest: true });
  await events.appendOnce(region, event.eventId, event);
}

/** Returns a function that resets the feed to its current state, as a failover does that loses later writes. */
async function keepEnd(): Promise<() => Promise<void>> {
  const all = [keys.feedHead(feed), keys.feedTimes(feed), keys.feedChunk(feed, 0)];
  const kept = await Promise.all(all.map((key) => connection.dumpBuffer(key)));
  return async () => {
    for (const [index, key] of all.entries()) {
      await connection.del(key);
      const bytes = kept[index];
      if (bytes != null) await connection.restore(key, 0, bytes);
    }
  };
}

async function buildWhole(builder: FeedBuilder): Promise<void> {
  await builder.build(region);
  await builder.settled();
}

describe("a feed that has lost its end", () => {
  it.each([
    ["memory is cleared while the next events are read", 1],
    ["no event of the region was in a feed before", 0],
  ])("is repaired with the next event of its follower, although %s", async (_, before) => {
    let onRead = () => {};
    const builder = createFeedBuilder({
      events,
      recorded: {
        async readAfter(...about) {
          const read = await events.readAfter(...about);
          onRead();
          return read;
        },
      },
      feeds: { ...store, isFollowed: () => true },
      progress: createRegionProgress(connection, keys, testSiteIds),
      onError(error) {
        throw error;
      },
    });
    for (let count = 0; count < before; count++) await record();
    await buildWhole(builder);
    const loseEnd = await keepEnd();
    await record();
    await builder.buildFollowed(region);
    expect(await store.last(feed)).toBe(before + 1);
    await loseEnd();
    await record();
    if (before > 0) onRead = builder.clear;
    await builder.buildFollowed(region);
    await buildWhole(builder);
    expect(await store.last(feed)).toBe(before + 2);
  });

  it.each([true, false])(
    "is repaired while the server of another feed is unreachable, memory cleared meanwhile: %s",
    async (isForgotten) => {
      let isAway = false;
      let loseEnd: (() => Promise<void>) | undefined;
      let appended = Promise.withResolvers<void>();
      const builder = createFeedBuilder({
        events,
        feeds: {
          ...store,
          isFollowed: () => false,
          async append(to, ...what) {
            if (to.participantId !== other.participantId || !isAway) {
              const outcome = await store.append(to, ...what);
              appended.resolve();
              return outcome;
            }
            // It does not reply until the failover of the other server is over.
            await appended.promise;
            await loseEnd?.();
            if (isForgotten && loseEnd !== undefined) builder.clear();
            loseEnd = undefined;
            throw new Error("unreachable");
          },
        },
        progress: createRegionProgress(connection, keys, testSiteIds),
        onError(error) {
          throw error;
        },
      });
      await record();
      await buildWhole(builder);
      isAway = true;
      loseEnd = await keepEnd();
      appended = Promise.withResolvers();
      await record(other.participantId);
      await expect(builder.build(region)).rejects.toThrow("unreachable");
      await record();
      await expect(builder.build(region)).rejects.toThrow("unreachable");
      isAway = false;
      const isBuilt = () =>
        builder.build(region).then(
          () => true,
          () => false,
        );
      await expect.poll(isBuilt).toBe(true);
      expect([await store.last(feed), await store.last(other)]).toEqual([3, 1]);
    },
  );
});
