import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventSchema, newEventId } from "@petak/protocol";
import { createParticipantFeeds, createRecords, type ParticipantFeeds, type Records } from "@petak/records";
import { createKeys } from "@petak/redis";
import type { TestRedis } from "@petak/testkit";
import { testStoreCode } from "@petak/testkit";
import { onTestFinished } from "vitest";
import { createFeedReader, type FeedReader } from "../feed-reader.ts";

/** Whose feed is read in the tests of what reads feeds. */
export const feed = { participantId: "par_0000000000000001", mode: "test" } as const;

/** Something to record: in which region, when in ms by the gateway's clock, and whether the feed's participant may see it. */
export interface TestEvent {
  region: string;
  recordedMs: number;
  isMine: boolean;
}

/** The records of one test, and what reads them as a gateway does. */
export interface FeedWorld {
  readonly records: Records;
  readonly feeds: ParticipantFeeds;
  readonly reader: FeedReader;
  /** Records events and gives the ids of those that the feed's participant may see. */
  record(events: readonly TestEvent[]): Promise<string[]>;
}

/** The nth of many regions. */
export function regionAt(index: number): string {
  return (0x830000 + index).toString(16);
}

/** Opens the records under a test's prefix. Closed with the test. */
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
