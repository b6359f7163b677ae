import type { Event, Region } from "@petak/protocol";
import { type FeedName, isCluster, isStoreFailure, onKeysTouched, type RedisConnection } from "@petak/redis";
import { createEventStream, type EventStream, isAfter, type RecordedEvent } from "../events/event-stream.ts";
import { createEventTail, type EventTailOptions } from "../events/event-tail.ts";
import { type EventReference, feedsOfParticipant } from "./event-reference.ts";
import { createFeedBuilder } from "./feed-builder.ts";
import type { FeedArchive } from "./feed-chunks.ts";
import { type ChunkTimes, chunkOf, chunkSize, createFeedStore, type FeedStore } from "./feed-store.ts";
import type { FeedSubscription } from "./feed-subscribers.ts";
import { createFeedTails, type FeedTail } from "./feed-tails.ts";
import { type FeedPosition, isMarkOf, markedReferences, placeAt, timeOfEntry } from "./feed-watermark.ts";
import { createPendingRegions } from "./pending-regions.ts";
import { createRegionProgress, type RegionProgress } from "./region-progress.ts";

/** An event and its number in a participant's feed. The event may be shared with other readers: it is not to be changed. */
export interface NumberedEvent {
  readonly number: number;
  readonly event: Event;
}

/** Some of a feed. */
export interface FeedPage {
  /** In the order of their numbers. An event that is kept nowhere any more is missing, with its number. */
  events: NumberedEvent[];
  /** How far the feed was read. */
  place: FeedPosition;
  /** The feed's last number. */
  last: number;
}

/** The participants' feeds: every event that concerns a participant, from all regions, numbered from 1 without a gap. */
export interface ParticipantFeeds {
  /**
   * Resolves when every event that was acknowledged before the call, by whichever gateway, is in the participant's feeds.
   *
   * @throws Error where a server cannot be reached.
   */
  bringUpToDate(participantId: string): Promise<void>;
  /** Resolves when all that was recorded in a region before the call is in the feeds. */
  build(region: Region): Promise<void>;
  /** The last number of a feed as it is; 0: it is empty. */
  last(feed: FeedName): Promise<number>;
  /** The place behind all that is in a feed. */
  end(feed: FeedName): Promise<FeedPosition>;
  /**
   * The events after a place, at most `count`; where a region is given, those of that region among the next {@link lookedThroughMax}. Where the feed has
   * lost its end since, and other events have those numbers now, they begin with the first that cannot have been read: none is missed, and
   * those of the last moment before the loss may come twice.
   */
  readAfter(feed: FeedName, place: FeedPosition, count: number, region?: Region): Promise<FeedPage>;
  /** When the events of each chunk of a feed were recorded: of {@link chunkOf} numbers. */
  times(feed: FeedName): Promise<ChunkTimes[]>;
  /** Begins to follow a feed. */
  subscribe(feed: FeedName): FeedSubscription;
  /** Resolves when nothing is built or heard any more. */
  stop(): Promise<void>;
}

/** What the feeds need. */
export interface ParticipantFeedsOptions extends Pick<EventTailOptions, "connect" | "keys" | "siteIds" | "onError" | "lookAtAllMs"> {
  redis: RedisConnection;
  /** The connection over which events are recorded here: what it records is logged at once. Default: `redis`. */
  recordedOver?: RedisConnection;
  /**
   * Gives what was read over `recordedOver` once it is as durable as an acknowledgement: what a failover can lose must not have a number. Default: at once.
   */
  acknowledge?: <Answer>(work: () => Promise<Answer>) => Promise<Answer>;
  /** How long that may take, in ms. Default 0: it takes no time. */
  acknowledgedWithinMs?: number;
  /** Reads events by their entries. Default: those in Redis. Whoever archives gives one that has the archive behind it. */
  events?: Pick<EventStream, "readAt">;
  /** Where chunks of feeds are that have left Redis. Default: none have. */
  archive?: FeedArchive;
}

/**
 * How long what was recorded elsewhere may be in no feed before it is logged here, in ms: the gateway that recorded it does so at once, unless it
 * died.
 */
const takeOverMs = 100;

/**
 * How long what was recorded here may be missing in feeds that nobody here follows, in ms. What comes together is logged together: a round is four commands,
 * for one event or for two hundred.
 */
const unhurriedMs = 10;

/** How long after it failed a region is built again for nobody in particular, in ms. */
const retryMs = 1000;

/** References of a feed that are looked through at most for those of one region. */
const lookedThroughMax = 2000;

/**
 * How much older than the newest that was read an event may be that was logged after it, in ms, beside what it takes to be acknowledged: what was recorded
 * elsewhere is logged no later, unless several die at once.
 */
const lossOverlapMs = 250;

interface NumberedReference extends EventReference {
  number: number;
}

/** Starts to build and read feeds. */
export function createParticipantFeeds(options: ParticipantFeedsOptions): ParticipantFeeds {
  const { redis, recordedOver = redis, acknowledge = (work) => work(), acknowledgedWithinMs = 0, keys, siteIds, onError } = options;
  // What is recorded while a build of its region waits is read by the next, which waits as well.
  const overlapMs = lossOverlapMs + 2 * acknowledgedWithinMs;
  const recordedEvents = createEventStream(redis, keys, siteIds);
  const { events = recordedEvents } = options;
  const feeds = createFeedStore(redis, keys, options.archive);
  const here = createFeedStore(redis, keys);
  const recorded = createRegionProgress(recordedOver, keys, siteIds);
  const recordedHere = createEventStream(recordedOver, keys, siteIds);
  const progress: RegionProgress = {
    ...createRegionProgress(redis, keys, siteIds),
    pending: (region, count, after) => acknowledge(() => recorded.pending(region, count, after)),
  };
  const ends = createFeedTails({ feeds, onAppended: (feed, last) => tail.tellAppended(feed, last) });
  const builder = createFeedBuilder({
    events: recordedEvents,
    recorded: { readAfter: (region, entry, count) => acknowledge(() => recordedHere.readAfter(region, entry, count)) },
    feeds: { append: ends.append, isFollowed: ends.isFollowed, position: feeds.position },
    progress,
    onError: tellDefect,
  });
  const pending = createPendingRegions();
  let isStopping = false;
  const underWay = new Set<Promise<void>>();

  async function build(region: Region): Promise<void> {
    clearTimeout(dueSoon.get(region));
    dueSoon.delete(region);
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

  /** That a server is away is told by the tail, once and not for each region. */
  function tellDefect(error: unknown): void {
    if (!isStopping && !isStoreFailure(error)) onError(error);
  }

  /** Work that nobody waits for. What fails is tried again after {@link takeOverMs}. */
  function inBackground(work: Promise<void>): void {
    const done = work.catch(tellDefect);
    underWay.add(done);
    void done.then(() => underWay.delete(done));
  }

  const tail = createEventTail({
    ...options,
    onBroken() {
      builder.forget();
      ends.forget();
    },
    onGrown(region, entry, concerned) {
      const upTo = builder.builtUpTo(region);
      if (upTo !== undefined && !isAfter(entry, upTo)) return;
      pending.add(region, entry, concerned, performance.now());
      // Whoever has somebody waiting does not wait for the gateway that recorded it, nor for the feeds of those who do not wait.
      const isFollowed = concerned !== "everyone" && [...concerned].flatMap(feedsOfParticipant).some(ends.isFollowed);
      if (isFollowed) inBackground(keepUp(region, builder.buildFollowed));
    },
  });
  /** Regions in which something was recorded here, and when they are built at the latest. */
  const dueSoon = new Map<Region, NodeJS.Timeout>();
  const endListening = onKeysTouched(recordedOver, (touched) => {
    for (const key of touched) {
      const region = keys.regionOfEvents(key);
      if (region === undefined || isStopping || dueSoon.has(region)) continue;
      dueSoon.set(
        region,
        setTimeout(() => inBackground(build(region)), unhurriedMs),
      );
    }
  });
  const timer = setInterval(() => {
    for (const region of pending.before(performance.now() - takeOverMs)) inBackground(build(region));
  }, takeOverMs);

  async function verifyAll(): Promise<void> {
    for (const region of await recordedEvents.regions()) await builder.verify(region);
  }
  // Slots of a cluster may lose what others keep.
  const onReady = () => inBackground(verifyAll());
  if (isCluster(redis)) {
    redis.on("ready", onReady);
    onReady();
  }

  /** Events with their numbers. One that cannot be read is passed over, as it is where it is logged: nobody could go on behind it. */
  function numberedOf<Logged extends Pick<RecordedEvent, "event">>(
    found: readonly Logged[],
    numberOf: (one: Logged, index: number) => number,
  ): NumberedEvent[] {
    return found.flatMap((one, index) => {
      try {
        return { number: numberOf(one, index), event: one.event };
      } catch (error) {
        tellDefect(error);
        return [];
      }
    });
  }

  /** The page after a place of which the events are known. */
  function pageOf({ number, mark }: FeedPosition, { before, events: found, last }: FeedTail): FeedPage {
    return {
      events: numberedOf(
        found.map(({ logged }) => logged),
        (_, index) => number + index + 1,
      ),
      place: placeAt(number + found.length, [...before, ...found], mark?.newestMs),
      last,
    };
  }

  /** References of a feed from one number to another, until some are not there. */
  async function referencesBetween(
    from: Pick<FeedStore, "references">,
    feed: FeedName,
    first: number,
    last: number,
  ): Promise<EventReference[]> {
    const references: EventReference[] = [];
    while (first + references.length <= last) {
      const some = await from.references(feed, first + references.length, last - first - references.length + 1);
      if (some.length === 0) break;
      references.push(...some);
    }
    return references;
  }

  /** Where a feed has lost its end: the number before the first event that cannot have been read up to a time. */
  async function beforeUnread(feed: FeedName, last: number, newestMs: number): Promise<number> {
    let number = last;
    /** The first chunk that is known to have such an event, and the last before it that is known to have none. */
    let first = chunkOf(last) + 1;
    let read = -1;
    // Back from the end in longer and longer steps, then by halves: what was lost is near the end, and the time is the caller's word.
    for (let step = 1; first - read > 1; ) {
      const chunk = step > 0 ? Math.max(0, first - step) : Math.floor((first + read) / 2);
      const references = await here.references(feed, chunk * chunkSize + 1, chunkSize);
      const index = references.findIndex(({ entry }) => timeOfEntry(entry) > newestMs - overlapMs);
      if (index === -1) {
        read = chunk;
        step = 0;
      } else {
        first = chunk;
        step *= 2;
        number = chunk * chunkSize + index;
      }
    }
    return number;
  }

  /** Where to go on from a place, and the references before it of which its mark was made. */
  async function settle(
    feed: FeedName,
    { number, mark }: FeedPosition,
  ): Promise<{ last: number; number: number; marked: EventReference[] }> {
    const first = Math.max(1, number - (mark?.count ?? 0) + 1);
    const [last, marked] = await Promise.all([feeds.last(feed), referencesBetween(here, feed, first, number)]);
    // What has left for the archive is too old to be lost.
    const hasLeft = number <= last && marked.length < (mark?.count ?? 0);
    if (mark === undefined || hasLeft || (number <= last && isMarkOf(mark, marked))) return { last, number, marked };
    return { last, number: await beforeUnread(feed, last, mark.newestMs), marked: [] };
  }

  /** References after a number, as {@link ParticipantFeeds.readAfter} wants them, all that were looked at, and how far that is. */
  async function referencesAfter(feed: FeedName, number: number, last: number, count: number, region: Region | undefined) {
    const end = Math.min(last, number + (region === undefined ? count : lookedThroughMax));
    const lookedAt: EventReference[] = [];
    const wanted: NumberedReference[] = [];
    const found = await referencesBetween(feeds, feed, number + 1, end);
    for (const reference of found) {
      if (wanted.length === count) break;
      lookedAt.push(reference);
      if (region === undefined || reference.region === region) wanted.push({ ...reference, number: number + lookedAt.length });
    }
    const upTo = number + lookedAt.length;
    const isLost = lookedAt.length === found.length && upTo < end;
    // What is kept nowhere any more is passed over, and with it no more than the rest of its chunk.
    return isLost ? { wanted, lookedAt: [], upTo: Math.min(end, (chunkOf(upTo + 1) + 1) * chunkSize) } : { wanted, lookedAt, upTo };
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
    async end(feed) {
      const number = await feeds.last(feed);
      return placeAt(number, await referencesBetween(here, feed, Math.max(1, number - markedReferences + 1), number));
    },
    async readAfter(feed, place, count, region) {
      const end = region === undefined ? await ends.after(feed, place, count) : undefined;
      if (end !== undefined) return pageOf(place, end);
      const { last, number, marked } = await settle(feed, place);
      const { wanted, lookedAt, upTo } = await referencesAfter(feed, number, last, count, region);
      const byRegion = Map.groupBy(wanted, (reference) => reference.region);
      const numbered: NumberedEvent[] = [];
      await Promise.all(
        [...byRegion].map(async ([of, own]) => {
          const numberOf = new Map(own.map((reference) => [reference.entry, reference.number]));
          const found = await events.readAt(of, [...numberOf.keys()]);
          numbered.push(...numberedOf(found, ({ entry }) => numberOf.get(entry) ?? 0));
        }),
      );
      const isSame = upTo === place.number && number === place.number;
      return {
        events: numbered.sort((a, b) => a.number - b.number),
        place: isSame ? place : placeAt(upTo, [...marked, ...lookedAt], place.mark?.newestMs),
        last,
      };
    },
    times: (feed) => feeds.times(feed),
    subscribe(feed) {
      const subscription = tail.subscribe(feed);
      let unfollow: (() => void) | undefined = ends.follow(feed);
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
      for (const soon of dueSoon.values()) clearTimeout(soon);
      if (isCluster(redis)) redis.off("ready", onReady);
      await tail.stop();
      await Promise.all(underWay);
      await builder.settled();
    },
  };
}

export { chunkOf, chunkSize, type FeedPosition };
