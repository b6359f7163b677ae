import { createParticipantFeeds, type ParticipantFeeds } from "@petak/records";
import { dropUnresponsive, type RedisConnection } from "@petak/redis";
import { createFeedReader, type FeedReader } from "../features/feed/feed-reader.ts";
import type { ConnectedStore } from "./connect-store.ts";
import type { OpenRecords } from "./open-records.ts";

/** The participants' feeds. */
export interface OpenFeeds {
  readonly feeds: ParticipantFeeds;
  readonly reader: FeedReader;
}

/** Starts to build and follow the participants' feeds. */
export function openFeeds(store: ConnectedStore, { archive }: OpenRecords, stack: AsyncDisposableStack): OpenFeeds {
  const { redis, writer, keys, watch, acknowledgements } = store;
  const { events, feedArchive, siteIds } = archive.records;
  let tail: RedisConnection | undefined;
  redis.on("ready", () => {
    // The connection that receives published events does not write, so it would not notice that its server has become a replica.
    if (watch.isReplica && tail !== undefined) dropUnresponsive(tail);
  });
  const feeds = createParticipantFeeds({
    redis,
    recordedOver: writer,
    events,
    archive: feedArchive,
    connect() {
      tail = store.connectAnother();
      return tail;
    },
    keys,
    siteIds,
    onError: (error) => watch.logFailure("participants' feeds", error),
    ...(acknowledgements && { acknowledge: acknowledgements.acknowledge, acknowledgedWithinMs: acknowledgements.withinMs }),
  });
  stack.defer(() => feeds.stop());
  return { feeds, reader: createFeedReader(feeds) };
}
