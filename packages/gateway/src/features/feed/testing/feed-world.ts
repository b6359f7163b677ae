import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventSchema, newEventId } from "@petak/protocol";
import { createParticipantFeeds, createRecords, type ParticipantFeeds, type Records } from "@petak/records";
import { createKeys } from "@petak/redis";
import type { TestRedis } from "@petak/testkit";
import { testStoreCode } from "@petak/testkit";
import { onTestFinished } from "vitest";
import { createFeedReader, type FeedReader } from "../feed-reader.ts";

/** The feed that the tests read. */
export const feed = { participantId: "par_0000000000000001", mode: "test" } as const;

/** An event to record. */
export interface TestEvent {
  region: string;
  /** By the gateway's clock, in ms. */
  recordedMs: number;
  /** Whether the event belongs to {@link feed}. */
  isMine: boolean;
}

/** Stores of one test, with the feeds and their reader. */
export interface FeedWorld {
  readonly records: Records;
  readonly feeds: ParticipantFeeds;
  readonly reader: FeedReader;
  /** Records events and returns the ids of those in {@link feed}. */
  record(events: readonly TestEvent[]): Promise<string[]>;
}

/** The nth test region. */
export function regionAt(index: number): string {
  return (0x830000 + index).toString(16);
}

/** Opens stores under a test's key prefix. Closed with the test. */
export async function openFeedWorld(redis: TestRedis): Promise<FeedWorld> {
  const connection = await redis.connect();
  const records = createRecords({ redis: connection, storeCode: testStoreCode, prefix: redis.keyPrefix });
  const feeds = createParticipantFeeds({
    redis: connection,
    connect: () => redis.connectLater(),
    keys: createKeys(redis.keyPrefix),
    siteIds: records.siteIds,
    onError: (error) => {
      throw error;
    },
  });
  onTestFinished(async () => {
    await feeds.stop();
    connection.disconnect();
  });
  return {
    records,
    feeds,
    reader: createFeedReader(feeds),
    async record(events) {
      const recording = events.map(async ({ region, recordedMs, isMine }) => {
        const eventId = newEventId(region);
        const event = create(EventSchema, {
          eventId,
          participantId: isMine ? feed.participantId : "par_0000000000000003",
          operatorId: "par_0000000000000002",
          isTest: true,
          recordedAt: timestampFromMs(recordedMs),
        });
        await connection.sadd(createKeys(redis.keyPrefix).regions(), region);
        await records.events.appendOnce(region, eventId, event);
        return isMine ? [eventId] : [];
      });
      return (await Promise.all(recording)).flat();
    },
  };
}
