import type { Region } from "@petak/protocol";
import type { LogName } from "@petak/redis";
import type { LoggedEvent } from "../events/event-log.ts";
import { isMarkOf, type LogPlace, lastOf, markedReferences } from "./log-mark.ts";
import { type LogReference, logId } from "./log-reference.ts";
import { type AppendOutcome, chunkSize, type LogItem, type LogStore } from "./log-store.ts";

/** An event that is to stand in a log. */
export interface EventItem extends LogItem {
  readonly logged: Pick<LoggedEvent, "event">;
}

/** An event of a log: where it stands in its region, and what it says, decoded once for all who follow the log. */
export interface AppendedEvent extends LogReference {
  readonly logged: Pick<LoggedEvent, "event">;
}

/** Some of a log's end. */
export interface LogEnd {
  /** The last references before the events: those of which a mark is made, as far as they are known. */
  before: readonly LogReference[];
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
  /** Whether somebody follows a log. */
  isFollowed(log: LogName): boolean;
  /**
   * The events after a place, at most `count`, where the next of them were all appended here, behind what the place's mark was made of; undefined
   * otherwise. What is being appended is waited for.
   */
  after(log: LogName, place: LogPlace, count: number): Promise<LogEnd | undefined>;
  /** Forgets what it has: a server may have lost it. */
  forget(): void;
}

/** What the ends need. */
export interface LogEndsOptions {
  logs: Pick<LogStore, "append">;
  /** Hears of the last number of a log that is followed, as soon as its events can be had here. */
  onAppended: (log: LogName, last: number) => void;
}

/** Events that are kept of one log, and of all logs together: some 3 kB each. */
const keptPerLog = chunkSize;
const keptMax = 64 * chunkSize;

interface Kept {
  /** How many follow the log. */
  users: number;
  /** The last references before the events. */
  before: readonly LogReference[];
  /** The log's numbers up to `last`. */
  events: readonly AppendedEvent[];
  last: number;
  /** The latest append that is under way. */
  appending: Promise<unknown> | undefined;
}

/** Keeps the ends of logs over a store. */
export function createLogEnds({ logs, onAppended }: LogEndsOptions): LogEnds {
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
    kept.before = referencesBefore({ ...kept, events }, Math.max(0, events.length - keptPerLog));
    setEvents(kept, events.slice(-keptPerLog));
    kept.last = last;
  }

  return {
    follow(log) {
      const id = logId(log);
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
    isFollowed: (log) => followed.has(logId(log)),
    async append(log, region, previous, items) {
      const kept = followed.get(logId(log));
      if (kept === undefined) return await logs.append(log, region, previous, items);
      const appending = logs.append(log, region, previous, items, markedReferences);
      kept.appending = appending;
      try {
        const outcome = await appending;
        if (outcome.tag === "done" && kept.users > 0) {
          keep(
            kept,
            outcome,
            items.map(({ entry, logged }) => ({ region, entry, logged })),
          );
          onAppended(log, outcome.last);
        }
        return outcome;
      } finally {
        if (kept.appending === appending) kept.appending = undefined;
      }
    },
    async after(log, place, count) {
      const kept = followed.get(logId(log));
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

/** Whether what is kept of a log reaches up to a number, and is what the log has: `references` are its last up to there. */
function reachesTo(kept: Kept, number: number, references: readonly LogReference[]): boolean {
  if (kept.events.length === 0 || kept.last !== number) return false;
  const own = referencesBefore(kept, kept.events.length);
  const known = Math.min(own.length, references.length);
  return known > 0 && own.slice(-known).every((one, index) => isSame(one, references.at(index - known)));
}

/** What is kept after a place. */
function find(kept: Kept, { number, mark }: LogPlace, count: number): LogEnd | undefined {
  const at = kept.events.length - (kept.last - number);
  if (at < 0 || at >= kept.events.length) return undefined;
  const before = referencesBefore(kept, at);
  // Of who has read something and does not say what, nobody knows whether it was this.
  if (number > 0 && (mark === undefined || !isMarkOf(mark, before))) return undefined;
  return { before, events: kept.events.slice(at, at + count), last: kept.last };
}

/** The last references before one of the events that are kept. */
function referencesBefore({ before, events }: Pick<Kept, "before" | "events">, at: number): readonly LogReference[] {
  const own = events.slice(Math.max(0, at - markedReferences), at);
  return lastOf([...before, ...own.map(({ region, entry }) => ({ region, entry }))]);
}

function isSame(one: LogReference, other: LogReference | undefined): boolean {
  return one.region === other?.region && one.entry === other.entry;
}
