import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Event, Region } from "@petak/protocol";
import { type ChunkTimes, chunkOf, chunkSize, type LogPage, type LogPlace, type ParticipantLogs } from "@petak/records";
import type { LogName } from "@petak/redis";
import { invalidCursor, type LogCursor, type LogRange } from "./log-cursor.ts";

/** Some events of a log, and how far it was read. */
export interface EventPage {
  /** In the order of their numbers, which they have in `logNumber`. */
  events: Event[];
  cursor: LogCursor;
  /** Whether there is more after the cursor already that may be wanted. */
  hasMore: boolean;
}

/** Reads participants' logs in pages. */
export interface LogReader {
  /**
   * The events after a cursor, at most `pageSize`. Of a range in which few are, a page may have none and say that there is more: it looks at
   * 2,000 events at most.
   *
   * @param region only events of this region. Not together with a range
   * @throws {PetakError} CURSOR_INVALID where the cursor stands after the log's end.
   */
  readAfter(log: LogName, cursor: LogCursor, pageSize: number, region?: Region): Promise<EventPage>;
  /** Resolves when all that was acknowledged before the call is in the participant's logs. */
  bringUpToDate(log: LogName): Promise<void>;
  /** The cursor behind everything recorded so far. */
  end(log: LogName): Promise<LogCursor>;
}

/** How many events one page of a range looks at. */
const scannedMax = 2000;

/** Reads through the allocator's logs. */
export function createLogReader(logs: ParticipantLogs): LogReader {
  async function read(
    log: LogName,
    place: LogPlace,
    count: number,
    region?: Region,
  ): Promise<Omit<LogPage, "events"> & { events: Event[] }> {
    const page = await logs.readAfter(log, place, count, region);
    refuseBeyond(place, page.last);
    return { ...page, events: page.events.map(({ number, event }) => ({ ...event, logNumber: BigInt(number) })) };
  }

  async function readRange(log: LogName, { number, range = {} }: LogCursor, pageSize: number): Promise<EventPage> {
    const isTimed = range.fromMs !== undefined || range.toMs !== undefined;
    const [last, times] = await Promise.all([logs.last(log), isTimed ? logs.times(log) : []]);
    const end = Math.min(last, range.toNumber ?? Number.POSITIVE_INFINITY);
    const passedOver = new Set(times.filter((chunk) => !mayHave(chunk, range)).map(({ chunk }) => chunk));
    const events: Event[] = [];
    let at = number;
    for (let scanned = 0; ; ) {
      while (at < end && passedOver.has(chunkOf(at + 1))) at = Math.min(end, (chunkOf(at + 1) + 1) * chunkSize);
      if (at >= end) return { events, cursor: { number: at, range }, hasMore: false };
      if (events.length >= pageSize || scanned >= scannedMax) return { events, cursor: { number: at, range }, hasMore: true };
      // No further than the chunk, after which others may be passed over.
      const count = isTimed ? chunkSize - (at % chunkSize) : pageSize - events.length;
      const page = await read(log, { number: at }, Math.min(count, end - at));
      at = page.place.number;
      scanned += count;
      for (const event of page.events) {
        if (!isWithin(event, range)) continue;
        if (events.length === pageSize) {
          at = Number(event.logNumber) - 1;
          break;
        }
        events.push(event);
      }
    }
  }

  return {
    async readAfter(log, cursor, pageSize, region) {
      if (cursor.range !== undefined) return await readRange(log, cursor, pageSize);
      const { events, place, last } = await read(log, cursor, pageSize, region);
      return { events, cursor: place, hasMore: place.number < last };
    },
    bringUpToDate: ({ participantId }) => logs.bringUpToDate(participantId),
    async end(log) {
      await logs.bringUpToDate(log.participantId);
      return await logs.end(log);
    },
  };
}

/** Whoever begins by a number that is not there yet would miss what comes before it. */
function refuseBeyond({ number, mark }: LogPlace, last: number): void {
  if (mark === undefined && number > last) throw invalidCursor(`it stands after number ${number}, and the log ends at ${last}`);
}

function mayHave({ firstMs, lastMs }: ChunkTimes, { fromMs, toMs }: LogRange): boolean {
  return (fromMs === undefined || lastMs >= fromMs) && (toMs === undefined || firstMs < toMs);
}

function isWithin({ recordedAt }: Event, { fromMs, toMs }: LogRange): boolean {
  const recordedMs = recordedAt === undefined ? 0 : timestampMs(recordedAt);
  return (fromMs === undefined || recordedMs >= fromMs) && (toMs === undefined || recordedMs < toMs);
}
