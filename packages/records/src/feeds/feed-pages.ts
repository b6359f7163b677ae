import type { Event, Region } from "@petak/protocol";
import type { FeedName } from "@petak/redis";
import { entryTimeMs } from "../encoding/stream-entry.ts";
import type { EventStream, RecordedEvent } from "../events/event-stream.ts";
import type { EventReference } from "./event-reference.ts";
import { checkedReferences, type FeedPosition, matches, positionAfter } from "./feed-position.ts";
import { chunkOf, chunkSize, type FeedStore } from "./feed-store.ts";
import type { FeedTail, FeedTails } from "./feed-tails.ts";

/** An event and its number in a participant's feed. Readers share the event and must not change it. */
export interface NumberedEvent {
  readonly number: number;
  readonly event: Event;
}

/** A page of a feed. */
export interface FeedPage {
  /** In the order of their numbers. Events that are stored nowhere any more are missing. */
  events: NumberedEvent[];
  /** The position from which the next page continues. */
  position: FeedPosition;
  /** The feed's last number. */
  last: number;
}

/** Reads feeds in pages. */
export interface FeedPages {
  /** The position after the last event of a feed. */
  end(feed: FeedName): Promise<FeedPosition>;
  /**
   * At most `count` events after a position. With a region, only the region's events among the next {@link scannedMax} of the feed. If the position's checksum
   * shows that the feed has lost its end, the page begins with the first event that the reader cannot have read: none is missed, and events of the last moment
   * before the loss may be returned again.
   */
  readAfter(feed: FeedName, position: FeedPosition, count: number, region?: Region): Promise<FeedPage>;
}

/** The options of feed pages. */
export interface FeedPagesOptions {
  /** The feeds in Redis. */
  stored: Pick<FeedStore, "references">;
  /** The feeds in Redis and in the archive. */
  feeds: Pick<FeedStore, "references" | "last">;
  tails: Pick<FeedTails, "after">;
  events: Pick<EventStream, "readAt">;
  /** How much older than the newest event that a reader has read an event may be that was appended after it, in ms. */
  overlapMs: number;
  /** Called for an event that cannot be read. It is skipped. */
  onError: (error: unknown) => void;
}

/** The most references of a feed that one page scans for those of one region. */
const scannedMax = 2000;

interface NumberedReference extends EventReference {
  number: number;
}

/** Creates the reader of feeds. */
export function createFeedPages({ stored, feeds, tails, events, overlapMs, onError }: FeedPagesOptions): FeedPages {
  /** Numbers events. One that cannot be read is skipped, as it is by the builder: otherwise no reader could continue after it. */
  function numbered<Recorded extends Pick<RecordedEvent, "event">>(
    found: readonly Recorded[],
    numberOf: (one: Recorded, index: number) => number,
  ): NumberedEvent[] {
    return found.flatMap((one, index) => {
      try {
        return { number: numberOf(one, index), event: one.event };
      } catch (error) {
        onError(error);
        return [];
      }
    });
  }

  /** The page after a position whose events are in memory. */
  function pageOf({ number, checksum }: FeedPosition, { before, events: found, last }: FeedTail): FeedPage {
    return {
      events: numbered(
        found.map(({ recorded }) => recorded),
        (_, index) => number + index + 1,
      ),
      position: positionAfter(number + found.length, [...before, ...found], checksum?.newestMs),
      last,
    };
  }

  /** Reads the events of references. */
  async function eventsAt(references: readonly NumberedReference[]): Promise<NumberedEvent[]> {
    const found: NumberedEvent[] = [];
    await Promise.all(
      [...Map.groupBy(references, ({ region }) => region)].map(async ([region, own]) => {
        const numberOf = new Map(own.map(({ entry, number }) => [entry, number]));
        const read = await events.readAt(region, [...numberOf.keys()]);
        found.push(...numbered(read, ({ entry }) => numberOf.get(entry) ?? 0));
      }),
    );
    return found.sort((a, b) => a.number - b.number);
  }

  /** In a feed that has lost its end: the number before the first event that a reader cannot have read who has read up to a time. */
  async function beforeUnread(feed: FeedName, last: number, newestMs: number): Promise<number> {
    let number = last;
    /** The first chunk that is known to have such an event, and the last before it that is known to have none. */
    let first = chunkOf(last) + 1;
    let read = -1;
    // Doubles the steps back from the end, then bisects: lost events are near the end, but the time comes from the caller and may be anything.
    for (let step = 1; first - read > 1; ) {
      const chunk = step > 0 ? Math.max(0, first - step) : Math.floor((first + read) / 2);
      const references = await stored.references(feed, chunk * chunkSize + 1, chunkSize);
      const index = references.findIndex(({ entry }) => entryTimeMs(entry) > newestMs - overlapMs);
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

  /** Checks a position. Returns the number to continue from, and the references before it that are part of the checksum. */
  async function check(
    feed: FeedName,
    { number, checksum }: FeedPosition,
  ): Promise<{ last: number; number: number; checked: EventReference[] }> {
    const count = checksum?.count ?? 0;
    const [last, checked] = await Promise.all([feeds.last(feed), referencesBetween(stored, feed, Math.max(1, number - count + 1), number)]);
    // Archived events are too old to be lost.
    const isArchived = number <= last && checked.length < count;
    if (checksum === undefined || isArchived || (number <= last && matches(checksum, checked))) return { last, number, checked };
    return { last, number: await beforeUnread(feed, last, checksum.newestMs), checked: [] };
  }

  /** Scans references after a number. Returns those that are wanted, all that were scanned, and the last number that was scanned. */
  async function scan(feed: FeedName, number: number, last: number, count: number, region: Region | undefined) {
    const end = Math.min(last, number + (region === undefined ? count : scannedMax));
    const scanned: EventReference[] = [];
    const wanted: NumberedReference[] = [];
    const found = await referencesBetween(feeds, feed, number + 1, end);
    for (const reference of found) {
      if (wanted.length === count) break;
      scanned.push(reference);
      if (region === undefined || reference.region === region) wanted.push({ ...reference, number: number + scanned.length });
    }
    const upTo = number + scanned.length;
    const isMissing = scanned.length === found.length && upTo < end;
    // References that are stored nowhere any more are skipped to the end of their chunk, and no further.
    return isMissing ? { wanted, scanned: [], upTo: Math.min(end, (chunkOf(upTo + 1) + 1) * chunkSize) } : { wanted, scanned, upTo };
  }

  return {
    async end(feed) {
      const number = await feeds.last(feed);
      return positionAfter(number, await referencesBetween(stored, feed, Math.max(1, number - checkedReferences + 1), number));
    },
    async readAfter(feed, position, count, region) {
      const tail = region === undefined ? await tails.after(feed, position, count) : undefined;
      if (tail !== undefined) return pageOf(position, tail);
      const { last, number, checked } = await check(feed, position);
      const { wanted, scanned, upTo } = await scan(feed, number, last, count, region);
      const found = await eventsAt(wanted);
      const isSame = upTo === position.number && number === position.number;
      return {
        events: found,
        position: isSame ? position : positionAfter(upTo, [...checked, ...scanned], position.checksum?.newestMs),
        last,
      };
    },
  };
}

/** The references of a feed from one number to another, up to the first that is missing. */
async function referencesBetween(
  feeds: Pick<FeedStore, "references">,
  feed: FeedName,
  first: number,
  last: number,
): Promise<EventReference[]> {
  const references: EventReference[] = [];
  while (first + references.length <= last) {
    const some = await feeds.references(feed, first + references.length, last - first - references.length + 1);
    if (some.length === 0) break;
    references.push(...some);
  }
  return references;
}
