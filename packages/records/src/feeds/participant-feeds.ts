import type { Region } from "@petak/protocol";
import { type FeedName, isCluster, isStoreFailure, onKeysTouched, type RedisConnection } from "@petak/redis";
import { isAfter } from "../encoding/stream-entry.ts";
import { createEventStream, type EventStream } from "../events/event-stream.ts";
import { createEventTail, type EventTailOptions } from "../listening/event-tail.ts";
import type { FeedSubscription } from "../listening/feed-subscribers.ts";
import { feedsOfParticipant } from "./event-reference.ts";
import { createFeedBuilder } from "./feed-builder.ts";
import { createFeedPages, type FeedPages } from "./feed-pages.ts";
import { type ChunkTimes, createFeedStore, type FeedArchive } from "./feed-store.ts";
import { createFeedTails } from "./feed-tails.ts";
import { createPendingRegions } from "./pending-regions.ts";
import { createRegionProgress, type RegionProgress } from "./region-progress.ts";

/** The participants' feeds: every event that concerns a participant, from all regions, numbered from 1 without a gap. */
export interface ParticipantFeeds extends FeedPages {
  /**
   * Resolves when every event that any gateway acknowledged before the call is in the participant's feeds.
   *
   * @throws Error if a server is unreachable.
   */
  bringUpToDate(participantId: string): Promise<void>;
  /** Resolves when every event that was recorded in a region before the call is in the feeds. @throws Error if a server is unreachable */
  build(region: Region): Promise<void>;
  /** The last number of a feed, without building it. 0: it is empty. */
  last(feed: FeedName): Promise<number>;
  /** When the events of each chunk of a feed were recorded. {@link chunkOf} gives the chunk of a number. */
  times(feed: FeedName): Promise<ChunkTimes[]>;
  /** Subscribes to a feed. */
  subscribe(feed: FeedName): FeedSubscription;
  /** Stops, and resolves when nothing is in progress any more. */
  stop(): Promise<void>;
}

/** The options of the participants' feeds. */
export interface ParticipantFeedsOptions extends Pick<EventTailOptions, "connect" | "keys" | "siteIds" | "onError" | "pollAllMs"> {
  redis: RedisConnection;
  /** The connection over which this gateway records events, which are appended to feeds without delay. Default: `redis`. */
  recordedOver?: RedisConnection;
  /**
   * Returns what `work` read over `recordedOver` once it is as durable as an acknowledged write: an event that a failover can lose must not get a number.
   * Default: returns it immediately.
   */
  acknowledge?: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** The longest that `acknowledge` takes, in ms. Default 0. */
  acknowledgedWithinMs?: number;
  /** Reads events by their entries. Default: from Redis. With an archive, it must read archived events too. */
  events?: Pick<EventStream, "readAt">;
  /** Reads archived chunks. Default: none are archived. */
  archive?: FeedArchive;
}

/** How long this gateway waits before it appends events that another gateway recorded, in ms. That gateway appends them itself unless it has crashed. */
const takeOverMs = 100;

/**
 * How long this gateway waits before it appends events that it recorded to feeds that are not followed here, in ms. One round takes four commands, for one event
 * or for two hundred.
 */
const buildDelayMs = 10;

/** How long a region is not built in the background after a failure, in ms. */
const retryMs = 1000;

/**
 * How much older than the newest event that was read an event that was appended later may be, in ms, besides the time for acknowledgement. Events of other
 * gateways are appended within this time unless several gateways crash at once.
 */
const lossOverlapMs = 250;

/** Starts to build feeds in the background, and reads them. */
export function createParticipantFeeds(options: ParticipantFeedsOptions): ParticipantFeeds {
  const { redis, recordedOver = redis, acknowledge = (work) => work(), acknowledgedWithinMs = 0, keys, siteIds, onError } = options;
  // Twice: an event that is recorded while a build of its region waits for acknowledgement is read by the next build, which waits as well.
  const overlapMs = lossOverlapMs + 2 * acknowledgedWithinMs;
  const recordedEvents = createEventStream(redis, keys, siteIds);
  const { events = recordedEvents } = options;
  const feeds = createFeedStore(redis, keys, options.archive);
  const stored = createFeedStore(redis, keys);
  const recorded = createRegionProgress(recordedOver, keys, siteIds);
  const recordedHere = createEventStream(recordedOver, keys, siteIds);
  const progress: RegionProgress = {
    ...createRegionProgress(redis, keys, siteIds),
    pending: (region, count, after) => acknowledge(() => recorded.pending(region, count, after)),
  };
  const tails = createFeedTails({ feeds, onAppended: (feed, last) => tail.reportAppended(feed, last) });
  const builder = createFeedBuilder({
    events: recordedEvents,
    recorded: { readAfter: (region, entry, count) => acknowledge(() => recordedHere.readAfter(region, entry, count)) },
    feeds: { append: tails.append, isFollowed: tails.isFollowed, position: feeds.position },
    progress,
    onError: reportDefect,
  });
  const pages = createFeedPages({ stored, feeds, tails, events, overlapMs, onError: reportDefect });
  const pending = createPendingRegions();
  let isStopping = false;
  const underWay = new Set<Promise<void>>();

  async function build(region: Region): Promise<void> {
    clearTimeout(buildTimers.get(region));
    buildTimers.delete(region);
    await keepUp(region, builder.build);
  }

  async function keepUp(region: Region, work: (region: Region) => Promise<void>): Promise<void> {
    try {
      await work(region);
    } catch (error) {
      pending.postpone(region, performance.now() + retryMs);
      throw error;
    }
    const upTo = builder.builtUpTo(region);
    if (upTo !== undefined) pending.remove(region, upTo);
  }

  /** Reports an error, except that a server is unreachable: the event tail reports that once, not for each region. */
  function reportDefect(error: unknown): void {
    if (!isStopping && !isStoreFailure(error)) onError(error);
  }

  /** Runs work that no caller waits for. The timer tries again if it fails. */
  function inBackground(work: Promise<void>): void {
    const done = work.catch(reportDefect);
    underWay.add(done);
    void done.then(() => underWay.delete(done));
  }

  const tail = createEventTail({
    ...options,
    onBroken() {
      builder.clear();
      tails.clear();
    },
    onGrown(region, entry, concerned) {
      const upTo = builder.builtUpTo(region);
      if (upTo !== undefined && !isAfter(entry, upTo)) return;
      pending.add(region, entry, concerned, performance.now());
      // Subscribers must wait neither for the gateway that recorded the event nor for the feeds of others.
      const isFollowed = concerned !== "everyone" && [...concerned].flatMap(feedsOfParticipant).some(tails.isFollowed);
      if (isFollowed) inBackground(keepUp(region, builder.buildFollowed));
    },
  });
  /** Regions in which this gateway recorded events, with the timers that build them. */
  const buildTimers = new Map<Region, NodeJS.Timeout>();
  const endListening = onKeysTouched(recordedOver, (touched) => {
    for (const key of touched) {
      const region = keys.regionOfEvents(key);
      if (region === undefined || isStopping || buildTimers.has(region)) continue;
      buildTimers.set(
        region,
        setTimeout(() => inBackground(build(region)), buildDelayMs),
      );
    }
  });
  const timer = setInterval(() => {
    for (const region of pending.before(performance.now() - takeOverMs)) inBackground(build(region));
  }, takeOverMs);

  async function verifyAll(): Promise<void> {
    for (const region of await recordedEvents.regions()) await builder.verify(region);
  }
  // In a cluster, a failover of one master may lose events of a feed that the progress in another master's slots says it contains.
  const onReady = () => inBackground(verifyAll());
  if (isCluster(redis)) {
    redis.on("ready", onReady);
    onReady();
  }

  return {
    build,
    async bringUpToDate(participantId) {
      await tail.catchUp();
      const building = pending.of(participantId).map(async (region) => {
        try {
          await build(region);
        } catch (error) {
          if (builder.lacks(region, participantId)) throw error;
        }
      });
      await Promise.all(building);
    },
    last: (feed) => feeds.last(feed),
    end: pages.end,
    readAfter: pages.readAfter,
    times: (feed) => feeds.times(feed),
    subscribe(feed) {
      const subscription = tail.subscribe(feed);
      let unfollow: (() => void) | undefined = tails.follow(feed);
      return {
        wait: subscription.wait,
        close() {
          unfollow?.();
          unfollow = undefined;
          subscription.close();
        },
      };
    },
    async stop() {
      isStopping = true;
      endListening();
      clearInterval(timer);
      for (const buildTimer of buildTimers.values()) clearTimeout(buildTimer);
      if (isCluster(redis)) redis.off("ready", onReady);
      await tail.stop();
      await Promise.all(underWay);
      await builder.settled();
    },
  };
}
