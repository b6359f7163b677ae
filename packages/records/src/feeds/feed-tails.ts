import type { Region } from "@petak/protocol";
import type { FeedName } from "@petak/redis";
import type { RecordedEvent } from "../events/event-stream.ts";
import { type EventReference, feedId } from "./event-reference.ts";
import { checkedReferences, type FeedPosition, lastOf, matches } from "./feed-position.ts";
import { type AppendOutcome, chunkSize, type FeedItem, type FeedStore } from "./feed-store.ts";

/** An event to append to a feed, with its content. */
export interface EventItem extends FeedItem {
  readonly recorded: Pick<RecordedEvent, "event">;
}

/** An event of a feed: its reference, and its content, decoded once for all subscribers of the feed. */
export interface AppendedEvent extends EventReference {
  readonly recorded: Pick<RecordedEvent, "event">;
}

/** Events of a feed tail. */
export interface FeedTail {
  /** The last references before the events, as far as they are known: those in the checksum. */
  before: readonly EventReference[];
  events: readonly AppendedEvent[];
  /** The feed's last known number. */
  last: number;
}

/**
 * The feed tails: the last events of feeds that have a subscription, kept in memory if this gateway appended them. A subscriber gets such an event as soon as it
 * has a number, without reading from Redis.
 */
export interface FeedTails {
  /** Starts to keep the tail of a feed. Returns a function that ends that, to be called once. */
  follow(feed: FeedName): () => void;
  /** Appends to a feed as {@link FeedStore.append} does, and keeps the events if the feed is followed. */
  append(feed: FeedName, region: Region, previous: string | undefined, items: readonly EventItem[]): Promise<AppendOutcome>;
  /** Whether a feed is followed. */
  isFollowed(feed: FeedName): boolean;
  /**
   * At most `count` events after a position. Undefined if they are not all in the tail, or if the position's checksum does not match. Waits for an append in
   * progress.
   */
  after(feed: FeedName, position: FeedPosition, count: number): Promise<FeedTail | undefined>;
  /** Discards all events: a server may have lost them. */
  clear(): void;
}

/** The options of feed tails. */
export interface FeedTailsOptions {
  feeds: Pick<FeedStore, "append">;
  /** Called with the last number of a followed feed as soon as its events are in the tail. */
  onAppended: (feed: FeedName, last: number) => void;
}

/** The most events that are kept of one feed, and of all feeds together: about 3 kB each. */
const keptPerFeed = chunkSize;
const keptMax = 64 * chunkSize;

interface Tail {
  /** The number of followers. */
  followers: number;
  /** The last references before the events. */
  before: readonly EventReference[];
  /** The feed's last events. The last of them has the number `last`. */
  events: readonly AppendedEvent[];
  last: number;
  /** The latest append in progress. */
  appending: Promise<unknown> | undefined;
}

/** Creates the feed tails over a store. */
export function createFeedTails({ feeds, onAppended }: FeedTailsOptions): FeedTails {
  const followed = new Map<string, Tail>();
  let keptCount = 0;

  function setEvents(tail: Tail, events: readonly AppendedEvent[]): void {
    keptCount += events.length - tail.events.length;
    tail.events = events;
  }

  function clear(): void {
    for (const tail of followed.values()) setEvents(tail, []);
  }

  function keep(tail: Tail, { last, count, before }: AppendOutcome & { tag: "done" }, appended: readonly AppendedEvent[]): void {
    if (count === 0) return;
    if (keptCount >= keptMax) clear();
    if (!reachesTo(tail, last - count, before)) {
      setEvents(tail, []);
      tail.before = before;
    }
    const events = [...tail.events, ...appended.slice(-count)];
    // Excess events are dropped; the last references before the rest are kept.
    tail.before = referencesBefore({ ...tail, events }, Math.max(0, events.length - keptPerFeed));
    setEvents(tail, events.slice(-keptPerFeed));
    tail.last = last;
  }

  return {
    follow(feed) {
      const id = feedId(feed);
      const tail = followed.get(id) ?? { followers: 0, before: [], events: [], last: 0, appending: undefined };
      followed.set(id, tail);
      tail.followers += 1;
      return () => {
        tail.followers -= 1;
        if (tail.followers > 0) return;
        setEvents(tail, []);
        followed.delete(id);
      };
    },
    isFollowed: (feed) => followed.has(feedId(feed)),
    async append(feed, region, previous, items) {
      const tail = followed.get(feedId(feed));
      if (tail === undefined) return await feeds.append(feed, region, previous, items);
      const appending = feeds.append(feed, region, previous, items, checkedReferences);
      tail.appending = appending;
      try {
        const outcome = await appending;
        if (outcome.tag === "done" && tail.followers > 0) {
          keep(
            tail,
            outcome,
            items.map(({ entry, recorded }) => ({ region, entry, recorded })),
          );
          onAppended(feed, outcome.last);
        }
        return outcome;
      } finally {
        if (tail.appending === appending) tail.appending = undefined;
      }
    },
    async after(feed, position, count) {
      const tail = followed.get(feedId(feed));
      if (tail === undefined) return undefined;
      const found = find(tail, position, count);
      if (found !== undefined || tail.appending === undefined || position.number < tail.last) return found;
      // If the append fails, the caller reads from the store.
      await tail.appending.catch(() => undefined);
      return find(tail, position, count);
    },
    clear,
  };
}

/** Whether a tail ends at a number and agrees with `references`, the feed's last up to that number. */
function reachesTo(tail: Tail, number: number, references: readonly EventReference[]): boolean {
  if (tail.events.length === 0 || tail.last !== number) return false;
  const own = referencesBefore(tail, tail.events.length);
  const known = Math.min(own.length, references.length);
  return known > 0 && own.slice(-known).every((one, index) => isSame(one, references.at(index - known)));
}

/** The events of a tail after a position. */
function find(tail: Tail, { number, checksum }: FeedPosition, count: number): FeedTail | undefined {
  const at = tail.events.length - (tail.last - number);
  if (at < 0 || at >= tail.events.length) return undefined;
  const before = referencesBefore(tail, at);
  // Without a checksum it is unknown whether the reader has read these events or others with the same numbers.
  if (number > 0 && (checksum === undefined || !matches(checksum, before))) return undefined;
  return { before, events: tail.events.slice(at, at + count), last: tail.last };
}

/** The last references before the event at an index. */
function referencesBefore({ before, events }: Pick<Tail, "before" | "events">, at: number): readonly EventReference[] {
  const own = events.slice(Math.max(0, at - checkedReferences), at);
  return lastOf([...before, ...own.map(({ region, entry }) => ({ region, entry }))]);
}

function isSame(one: EventReference, other: EventReference | undefined): boolean {
  return one.region === other?.region && one.entry === other.entry;
}
