import { type EventLog, firstEntry, type LoggedEvent } from "@petak/allocator";
import type { Event, Region } from "@petak/protocol";
import type { EventCursor } from "./event-cursor.ts";

/** Some events, and how far they were read. */
export interface EventPage {
  events: Event[];
  cursor: EventCursor;
  /** Whether more entries stand after the cursor already. */
  hasMore: boolean;
}

/** Reads the regions' records as one. */
export interface EventReader {
  /** At most `pageSize` events that pass the filter, after a cursor, in the order in which they were recorded. */
  readAfter(cursor: EventCursor, pageSize: number, filter: (event: Event) => boolean): Promise<EventPage>;
  /** The cursor behind everything recorded so far. */
  end(): Promise<EventCursor>;
}

/**
 * How many entries one page looks at, whether the caller may see them or not: a participant with few parcels among many gets short pages,
 * and nobody's call holds the gateway for long.
 */
const scannedMax = 5000;

/** Entries read from one region at a time. */
const readAtOnce = 500;

/** Reads through a region log. */
export function createEventReader(log: EventLog): EventReader {
  return {
    async readAfter(cursor, pageSize, filter) {
      const next = new Map(cursor);
      const events: Event[] = [];
      const regions = await log.regions();
      let scanned = 0;
      for (;;) {
        const batches = await Promise.all(
          regions.map(async (region) => ({ region, entries: await log.readAfter(region, next.get(region) ?? firstEntry, readAtOnce) })),
        );
        const merged = mergeByTime(batches);
        if (merged.length === 0) return { events, cursor: next, hasMore: false };
        for (const { region, entry, event } of merged) {
          if (events.length >= pageSize || scanned >= scannedMax) return { events, cursor: next, hasMore: true };
          scanned++;
          next.set(region, entry);
          if (filter(event)) events.push(event);
        }
      }
    },
    async end() {
      const regions = await log.regions();
      const entries = await Promise.all(regions.map((region) => log.lastEntry(region)));
      return new Map(regions.flatMap((region, index) => (entries[index] === firstEntry ? [] : [[region, entries[index] as string]])));
    },
  };
}

/**
 * The entries of several regions in the order of their times. A region of which only a part was read holds back what others recorded after
 * that part: it may have more to say of that time.
 */
function mergeByTime(batches: { region: Region; entries: LoggedEvent[] }[]): (LoggedEvent & { region: Region })[] {
  const cutMs = Math.min(
    ...batches.filter(({ entries }) => entries.length >= readAtOnce).map(({ entries }) => entryTimeMs(entries.at(-1) as LoggedEvent)),
    Number.POSITIVE_INFINITY,
  );
  return batches
    .flatMap(({ region, entries }) => entries.map((logged) => ({ ...logged, region, timeMs: entryTimeMs(logged) })))
    .filter(({ timeMs }) => timeMs <= cutMs)
    .sort((a, b) => a.timeMs - b.timeMs);
}

function entryTimeMs({ entry }: LoggedEvent): number {
  return Number(entry.slice(0, entry.indexOf("-")));
}
