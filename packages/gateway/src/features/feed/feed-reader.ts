import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Event, Region } from "@petak/protocol";
import { type ChunkTimes, chunkOf, chunkSize, type FeedPage, type FeedPosition, type ParticipantFeeds } from "@petak/records";
import type { FeedName } from "@petak/redis";
import type { FeedCursor, FeedRange } from "./feed-cursor.ts";
import { invalidCursor } from "./invalid-cursor.ts";

/** A page of a feed. */
export interface EventPage {
  /** In the order of their `feedNumber`. */
  events: Event[];
  /** The position after the page. */
  cursor: FeedCursor;
  /** Whether the feed already has events after the cursor that may match. */
  hasMore: boolean;
}

/** Reads participants' feeds in pages. */
export interface FeedReader {
  /**
   * Reads the events after a cursor, at most `pageSize`. A page of a sparse range may be empty although there is more, because at most 2,000 events are
   * examined for it.
   *
   * @param region reads only events of this region. Not together with a range
   * @throws {PetakError} CURSOR_INVALID if the cursor is after the end of the feed.
   */
  readAfter(feed: FeedName, cursor: FeedCursor, pageSize: number, region?: Region): Promise<EventPage>;
  /** Resolves when the participant's feeds contain everything that was acknowledged before the call. */
  bringUpToDate(feed: FeedName): Promise<void>;
  /** The cursor after everything recorded so far. */
  end(feed: FeedName): Promise<FeedCursor>;
}

/** Events that are examined for one page of a range. */
const scannedMax = 2000;

/** Creates a reader of participants' feeds. */
export function createFeedReader(feeds: ParticipantFeeds): FeedReader {
  async function read(
    feed: FeedName,
    place: FeedPosition,
    count: number,
    region?: Region,
  ): Promise<Omit<FeedPage, "events"> & { events: Event[] }> {
    const page = await feeds.readAfter(feed, place, count, region);
    refuseBeyond(place, page.last);
    return { ...page, events: page.events.map(({ number, event }) => ({ ...event, feedNumber: BigInt(number) })) };
  }

  async function readRange(feed: FeedName, { number, range = {} }: FeedCursor, pageSize: number): Promise<EventPage> {
    const isTimed = range.fromMs !== undefined || range.toMs !== undefined;
    const [last, times] = await Promise.all([feeds.last(feed), isTimed ? feeds.times(feed) : []]);
    const end = Math.min(last, range.toNumber ?? Number.POSITIVE_INFINITY);
    const skipped = new Set(times.filter((chunk) => !mayHave(chunk, range)).map(({ chunk }) => chunk));
    const events: Event[] = [];
    let at = number;
    for (let scanned = 0; ; ) {
      while (at < end && skipped.has(chunkOf(at + 1))) at = Math.min(end, (chunkOf(at + 1) + 1) * chunkSize);
      if (at >= end) return { events, cursor: { number: at, range }, hasMore: false };
      if (events.length >= pageSize || scanned >= scannedMax) return { events, cursor: { number: at, range }, hasMore: true };
      // Read to the end of the chunk at most: the next chunks may be skipped.
      const count = isTimed ? chunkSize - (at % chunkSize) : pageSize - events.length;
      const page = await read(feed, { number: at }, Math.min(count, end - at));
      at = page.position.number;
      scanned += count;
      for (const event of page.events) {
        if (!isWithin(event, range)) continue;
        if (events.length === pageSize) {
          at = Number(event.feedNumber) - 1;
          break;
        }
        events.push(event);
      }
    }
  }

  return {
    async readAfter(feed, cursor, pageSize, region) {
      if (cursor.range !== undefined) return await readRange(feed, cursor, pageSize);
      const { events, position, last } = await read(feed, cursor, pageSize, region);
      return { events, cursor: position, hasMore: position.number < last };
    },
    bringUpToDate: ({ participantId }) => feeds.bringUpToDate(participantId),
    async end(feed) {
      await feeds.bringUpToDate(feed.participantId);
      return await feeds.end(feed);
    },
  };
}

/** Refuses a position after the end of the feed: the events up to it would be missed. */
function refuseBeyond({ number, checksum }: FeedPosition, last: number): void {
  if (checksum === undefined && number > last) throw invalidCursor(`it is after feed number ${number}, but the feed ends at ${last}`);
}

function mayHave({ firstMs, lastMs }: ChunkTimes, { fromMs, toMs }: FeedRange): boolean {
  return (fromMs === undefined || lastMs >= fromMs) && (toMs === undefined || firstMs < toMs);
}

function isWithin({ recordedAt }: Event, { fromMs, toMs }: FeedRange): boolean {
  const recordedMs = recordedAt === undefined ? 0 : timestampMs(recordedAt);
  return (fromMs === undefined || recordedMs >= fromMs) && (toMs === undefined || recordedMs < toMs);
}
