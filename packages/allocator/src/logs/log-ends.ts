import type { Event, Region } from "@petak/protocol";
import type { LogName, LogReference } from "./log-reference.ts";
import { logId } from "./log-reference.ts";
import { type AppendOutcome, chunkSize, type LogItem, type LogStore } from "./log-store.ts";

/** An event that is to stand in a log. */
export interface EventItem extends LogItem {
  readonly event: Event;
}

/** An event of a log: where it stands in its region, and what it says. Shared by all who follow the log: not to be changed. */
export interface AppendedEvent extends LogReference {
  readonly event: Event;
}

/** Some of a log's end. */
export interface LogEnd {
  events: readonly AppendedEvent[];
  /** The last number of the log that is known. */
  last: number;
}

/**
 * The ends of the logs that are followed here, as far as they were appended here, in memory: so that whoever waits for an event of this process gets it as
 * soon as it has its number, and nothing is read back.
 */
export interface LogEnds {
  /** Begins to keep what comes to a log. Gives the way to end that, which is to be called once. */
  follow(log: LogName): () => void;
  /** Appends to a log as the store does, and keeps what was appended. */
  append(log: LogName, region: Region, previous: string | undefined, items: readonly EventItem[]): Promise<AppendOutcome>;
  /** What the log stood on when it is read now; see {@link after}. Undefined: nobody knows. */
  footingOf(log: LogName): object | undefined;
  /**
   * The events after a number, at most `count`, where the next of them were all appended here; undefined otherwise. What is being appended is waited for.
   *
   * @param footing what the log stood on when it was read up to that number: where it has lost its connection since, its end may be another
   */
  after(log: LogName, number: number, footing: object, count: number): Promise<LogEnd | undefined>;
}

/** What the ends need. */
export interface LogEndsOptions {
  logs: Pick<LogStore, "append">;
  /** Stands for the time in which the server of a log loses nothing; undefined where it is not known which that is. */
  footingOf: (log: LogName) => object | undefined;
  /** Hears of the last number of a log that is followed, as soon as its events can be had here. */
  onAppended: (log: LogName, last: number) => void;
}

/** Events that are kept of one log, and of all logs together: some 3 kB each. */
const keptPerLog = chunkSize;
const keptMax = 64 * chunkSize;

interface Kept {
  users: number;
  footing: object | undefined;
  /** The log's numbers up to `last`. */
  events: AppendedEvent[];
  last: number;
  /** The latest append that is under way. */
  appending: Promise<unknown> | undefined;
}

/** Keeps the ends of logs over a store. */
export function createLogEnds({ logs, footingOf, onAppended }: LogEndsOptions): LogEnds {
  const followed = new Map<string, Kept>();
  let keptCount = 0;

  function drop(kept: Kept): void {
    keptCount -= kept.events.length;
    kept.events = [];
  }

  function keep(kept: Kept, footing: object, { last, count }: AppendOutcome & { tag: "done" }, appended: readonly AppendedEvent[]): void {
    if (count === 0) return;
    if (kept.footing !== footing || kept.last !== last - count) drop(kept);
    if (keptCount >= keptMax) for (const each of followed.values()) drop(each);
    kept.footing = footing;
    kept.last = last;
    const before = kept.events.length;
    kept.events = [...kept.events, ...appended.slice(appended.length - count)].slice(-keptPerLog);
    keptCount += kept.events.length - before;
  }

  function find(kept: Kept, number: number, footing: object, count: number): LogEnd | undefined {
    const from = kept.events.length - (kept.last - number);
    if (kept.footing !== footing || from < 0 || from >= kept.events.length) return undefined;
    return { events: kept.events.slice(from, from + count), last: kept.last };
  }

  return {
    follow(log) {
      const id = logId(log);
      const kept = followed.get(id) ?? { users: 0, footing: undefined, events: [], last: 0, appending: undefined };
      followed.set(id, kept);
      kept.users += 1;
      return () => {
        kept.users -= 1;
        if (kept.users > 0) return;
        drop(kept);
        followed.delete(id);
      };
    },
    async append(log, region, previous, items) {
      const kept = followed.get(logId(log));
      if (kept === undefined) return await logs.append(log, region, previous, items);
      const footing = footingOf(log);
      const appending = logs.append(log, region, previous, items);
      kept.appending = appending;
      try {
        const outcome = await appending;
        if (outcome.tag === "done" && footing !== undefined && footing === footingOf(log) && kept.users > 0) {
          keep(
            kept,
            footing,
            outcome,
            items.map(({ entry, event }) => ({ region, entry, event })),
          );
          onAppended(log, outcome.last);
        }
        return outcome;
      } finally {
        if (kept.appending === appending) kept.appending = undefined;
      }
    },
    footingOf,
    async after(log, number, footing, count) {
      const kept = followed.get(logId(log));
      if (kept === undefined) return undefined;
      const found = find(kept, number, footing, count);
      if (found !== undefined || kept.appending === undefined) return found;
      // Where it failed, what is there now is to be had from the store.
      await kept.appending.catch(() => undefined);
      return find(kept, number, footing, count);
    },
  };
}
