import { setImmediate as yieldToOthers } from "node:timers/promises";
import { type EventLog, firstEntry, type LoggedEvent } from "@petak/allocator";
import type { Event, Region } from "@petak/protocol";
import type { ParticipantCaller } from "../identity/index.ts";
import { type EventCursor, parseEntry } from "./event-cursor.ts";
import { isParty } from "./parties.ts";

/** Some events, and how far they were read. */
export interface EventPage {
  events: Event[];
  cursor: EventCursor;
  /** Of the regions that were asked for, those that may have more entries after the cursor already. */
  unread: Set<Region>;
}

/** What a page is to hold. */
export interface PageRequest {
  /** Who is told: events of others are passed over. */
  caller: ParticipantCaller;
  /** Events at most. */
  pageSize: number;
  /** Where to look. Default: everywhere. */
  regions?: ReadonlySet<Region>;
}

/** Reads the regions' records as one. */
export interface EventReader {
  /** The caller's events after a cursor, in the order in which they were recorded. */
  readAfter(cursor: EventCursor, request: PageRequest): Promise<EventPage>;
  /** The cursor behind everything recorded so far. */
  end(): Promise<EventCursor>;
}

/**
 * How many entries one page looks at, whether the caller may see them or not: a participant with few parcels among many gets short pages,
 * and nobody's call holds the gateway for long.
 */
const scannedMax = 5000;

/** Entries of one region in one read, at most: about 200 kB. */
const readAtOnceMax = 500;

/** Entries of one region in one read, at least: one would say nothing of what others may be merged with it. */
const readAtOnceMin = 2;

interface TimedEntry {
  region: Region;
  timeMs: number;
  logged: LoggedEvent;
}

/** What was read of a region and not yet looked at. */
interface Batch {
  readonly region: Region;
  entries: TimedEntry[];
  /** The last entry that was read. */
  last: string;
  /** How many entries the last read asked for. */
  readAtOnce: number;
  /** Whether the region has no more entries than those. */
  isAtEnd: boolean;
}

/** Reads through a region log. */
export function createEventReader(log: EventLog): EventReader {
  async function readOn(batch: Batch, count: number): Promise<number> {
    const { region } = batch;
    const found = await log.readAfter(region, batch.last, count);
    batch.isAtEnd = found.length < count;
    batch.readAtOnce = count;
    batch.last = found.at(-1)?.entry ?? batch.last;
    batch.entries.push(...found.map((logged) => ({ region, timeMs: parseEntry(logged.entry).timeMs, logged })));
    return found.length;
  }

  /** Reads on where little is left, twice as much as the last time, so that one busy region among many idle ones needs few reads. */
  async function refill(batches: Batch[], budget: number): Promise<number> {
    const low = batches.filter(({ isAtEnd, entries, readAtOnce }) => !isAtEnd && entries.length <= readAtOnce / 2);
    const share = Math.floor(budget / low.length);
    const sizeFor = ({ readAtOnce }: Batch) => Math.max(readAtOnceMin, Math.min(readAtOnceMax, readAtOnce * 2, share));
    const counts = await Promise.all(low.map((batch) => readOn(batch, sizeFor(batch))));
    return sum(counts);
  }

  return {
    async readAfter(cursor, { caller, pageSize, regions }) {
      const next = new Map(cursor);
      const events: Event[] = [];
      const from = [...(regions ?? (await log.regions()))];
      let open = from.map(
        (region): Batch => ({ region, entries: [], last: next.get(region) ?? firstEntry, readAtOnce: 0, isAtEnd: false }),
      );
      // The first look takes half of what may be read, or the least of each region.
      const firstCount = Math.max(readAtOnceMin, Math.min(readAtOnceMax, Math.floor(scannedMax / 2 / from.length)));
      const counts = await Promise.all(open.map((batch) => readOn(batch, firstCount)));
      // What is left to read; never nothing, so that a page gets on however many regions there are.
      let budget = Math.max(scannedMax / 4, scannedMax - sum(counts));
      let scanned = 0;
      for (;;) {
        const merged = takeMergedByTime(open);
        open = open.filter(({ entries, isAtEnd }) => entries.length > 0 || !isAtEnd);
        for (const [index, { region, logged }] of merged.entries()) {
          if (events.length >= pageSize || scanned >= scannedMax) {
            const notLookedAt = [...merged.slice(index), ...open];
            return { events, cursor: next, unread: new Set(notLookedAt.map((left) => left.region)) };
          }
          scanned++;
          next.set(region, logged.entry);
          if (logged.mentions(caller.participantId) && isParty(logged.event, caller)) events.push(logged.event);
        }
        if (open.length === 0 || budget <= 0) return { events, cursor: next, unread: new Set(open.map(({ region }) => region)) };
        budget -= await refill(open, budget);
        // What is read is parsed and looked at on the one thread that answers all callers.
        await yieldToOthers();
      }
    },
    async end() {
      const regions = await log.regions();
      const entries = await Promise.all(regions.map((region) => log.lastEntry(region)));
      return new Map(regions.flatMap((region, index) => (entries[index] === firstEntry ? [] : [[region, entries[index] as string]])));
    },
  };
}

function sum(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/**
 * Takes the entries of several regions in the order of their times. A region of which only a part was read holds back what others recorded
 * after that part: it may have more to say of that time.
 */
function takeMergedByTime(batches: Batch[]): TimedEntry[] {
  const cutMs = Math.min(...batches.map(({ isAtEnd, last }) => (isAtEnd ? Number.POSITIVE_INFINITY : parseEntry(last).timeMs)));
  const merged = batches.flatMap((batch) => {
    const afterCut = batch.entries.findIndex(({ timeMs }) => timeMs > cutMs);
    return batch.entries.splice(0, afterCut === -1 ? batch.entries.length : afterCut);
  });
  return merged.sort((a, b) => a.timeMs - b.timeMs);
}
