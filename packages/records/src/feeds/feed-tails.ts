import type { Region } from "@petak/protocol";
import type { FeedName } from "@petak/redis";
import type { RecordedEvent } from "../events/event-stream.ts";
import { type EventReference, feedId } from "./event-reference.ts";
import { type AppendOutcome, chunkSize, type FeedItem, type FeedStore } from "./feed-store.ts";
import { type FeedPosition, isMarkOf, lastOf, markedReferences } from "./feed-watermark.ts";

/** An event that is to stand in a feed. */
export interface EventItem extends FeedItem {
  readonly logged: Pick<RecordedEvent, "event">;
}

/** An event of a feed: where it stands in its region, and what it says, decoded once for all who follow the feed. */
export interface AppendedEvent extends EventReference {
  readonly logged: Pick<RecordedEvent, "event">;
}

/** Some of a feed's end. */
export interface FeedTail {
  /** The last references before the events: those of which a mark is made, as far as they are known. */
  before: readonly EventReference[];
  events: readonly AppendedEvent[];
  /** The last number of the feed that is known. */
  last: number;
}

/**
 * The ends of the feeds that are followed here, as far as they were appended here, in memory: so that whoever waits for an event of this process gets it as
 * soon as it has its number, and nothing is read back.
 */
export interface FeedTails {
  /** Begins to keep what comes to a feed. Gives the way to end that, which is to be called once. */
  follow(feed: FeedName): () => void;
  /** Appends to a feed as the store does, and keeps what was appended. */
  append(feed: FeedName, region: Region, previous: string | undefined, items: readonly EventItem[]): Promise<AppendOutcome>;
  /** Whether somebody follows a feed. */
  isFollowed(feed: FeedName): boolean;
  /**
   * The events after a place, at most `count`, where the next of them were all appended here, behind what the place's mark was made of; undefined
   * otherwise. What is being appended is waited for.
   */
  after(feed: FeedName, place: FeedPosition, count: number): Promise<FeedTail | undefined>;
  /** Forgets what it has: a server may have lost it. */
  forget(): void;
}

/** What the ends need. */
export interface FeedTailsOptions {
  feeds: Pick<FeedStore, "append">;
  /** Hears of the last number of a feed that is followed, as soon as its events can be had here. */
  onAppended: (feed: FeedName, last: number) => void;
}

/** Events that are kept of one feed, and of all feeds together: some 3 kB each. */
const keptPerFeed = chunkSize;
const keptMax = 64 * chunkSize;

interface Kept {
  /** How many follow the feed. */
  users: number;
  /** The last references before the events. */
  before: readonly EventReference[];
  /** The feed's numbers up to `last`. */
  events: readonly AppendedEvent[];
  last: number;
  /** The latest append that is under way. */
  appending: Promise<unknown> | undefined;
}

/** Keeps the ends of feeds over a store. */
export function createFeedTails({ feeds, onAppended }: FeedTailsOptions): FeedTails {
  const followed = new Map<string, Kept>();
  let keptCount = 0;

  function setEvents(kept: Kept, events: readonly AppendedEvent[]): void {
    keptCount += events.length - kept.events.length;
    kept.events = events;
  }

  function forget(): void {
    for (const kept of followed.values()) setEvents(kept, []);
  }

  function keep(kept: Kept, { last, count, before }: AppendOutcome & { tag: "done" }, appended: readonly AppendedEvent[]): void {
    if (count === 0) return;
    if (keptCount >= keptMax) forget();
    if (!reachesTo(kept, last - count, before)) {
      setEvents(kept, []);
      kept.before = before;
    }
    const events = [...kept.events, ...appended.slice(-count)];
    // Of those that are too many by now the references stay.
    kept.before = referencesBefore({ ...kept, events }, Math.max(0, events.length - keptPerFeed));
    setEvents(kept, events.slice(-keptPerFeed));
    kept.last = last;
  }

  return {
    follow(feed) {
      const id = feedId(feed);
      const kept = followed.get(id) ?? { users: 0, before: [], events: [], last: 0, appending: undefined };
      followed.set(id, kept);
      kept.users += 1;
      return () => {
        kept.users -= 1;
        if (kept.users > 0) return;
        setEvents(kept, []);
        followed.delete(id);
      };
    },
    isFollowed: (feed) => followed.has(feedId(feed)),
    async append(feed, region, previous, items) {
      const kept = followed.get(feedId(feed));
      if (kept === undefined) return await feeds.append(feed, region, previous, items);
      const appending = feeds.append(feed, region, previous, items, markedReferences);
      kept.appending = appending;
      try {
        const outcome = await appending;
        if (outcome.tag === "done" && kept.users > 0) {
          keep(
            kept,
            outcome,
            items.map(({ entry, logged }) => ({ region, entry, logged })),
          );
          onAppended(feed, outcome.last);
        }
        return outcome;
      } finally {
        if (kept.appending === appending) kept.appending = undefined;
      }
    },
    async after(feed, place, count) {
      const kept = followed.get(feedId(feed));
      if (kept === undefined) return undefined;
      const found = find(kept, place, count);
      if (found !== undefined || kept.appending === undefined || place.number < kept.last) return found;
      // Where it failed, what is there now is to be had from the store.
      await kept.appending.catch(() => undefined);
      return find(kept, place, count);
    },
    forget,
  };
}

/** Whether what is kept of a feed reaches up to a number, and is what the feed has: `references` are its last up to there. */
function reachesTo(kept: Kept, number: number, references: readonly EventReference[]): boolean {
  if (kept.events.length === 0 || kept.last !== number) return false;
  const own = referencesBefore(kept, kept.events.length);
  const known = Math.min(own.length, references.length);
  return known > 0 && own.slice(-known).every((one, index) => isSame(one, references.at(index - known)));
}

/** What is kept after a place. */
function find(kept: Kept, { number, mark }: FeedPosition, count: number): FeedTail | undefined {
  const at = kept.events.length - (kept.last - number);
  if (at < 0 || at >= kept.events.length) return undefined;
  const before = referencesBefore(kept, at);
  // Of who has read something and does not say what, nobody knows whether it was this.
  if (number > 0 && (mark === undefined || !isMarkOf(mark, before))) return undefined;
  return { before, events: kept.events.slice(at, at + count), last: kept.last };
}

/** The last references before one of the events that are kept. */
function referencesBefore({ before, events }: Pick<Kept, "before" | "events">, at: number): readonly EventReference[] {
  const own = events.slice(Math.max(0, at - markedReferences), at);
  return lastOf([...before, ...own.map(({ region, entry }) => ({ region, entry }))]);
}

function isSame(one: EventReference, other: EventReference | undefined): boolean {
  return one.region === other?.region && one.entry === other.entry;
}
