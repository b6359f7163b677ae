import type { ParticipantLogs } from "@petak/records";
import type { LogName } from "@petak/redis";
import type { LogCursor } from "./log-cursor.ts";
import type { EventPage, LogReader } from "./log-reader.ts";

/** One reading of a log as it grows. */
export interface LogFollower {
  /** The next events, at most `pageSize`. The first time, all that was acknowledged before is there. */
  next(pageSize: number): Promise<EventPage>;
  /** Resolves with true when there is something to read, with false after `timeoutMs` or when a signal aborts. */
  wait(timeoutMs: number, signals: readonly AbortSignal[]): Promise<boolean>;
  /** Ends the following. May be called any number of times. */
  close(): void;
}

/** What a follower needs. */
export interface FollowerOptions {
  reader: LogReader;
  logs: Pick<ParticipantLogs, "subscribe">;
  log: LogName;
  /** Where it begins. */
  cursor: LogCursor;
}

/** Follows a log from a cursor. */
export function followLog({ reader, logs, log, cursor }: FollowerOptions): LogFollower {
  const subscription = logs.subscribe(log);
  let place = cursor;
  let isUpToDate = false;

  return {
    async next(pageSize) {
      if (!isUpToDate) await reader.bringUpToDate(log);
      isUpToDate = true;
      const page = await reader.readAfter(log, place, pageSize);
      place = page.cursor;
      return page;
    },
    wait: (timeoutMs, signals) => subscription.wait(place.number, timeoutMs, signals),
    close: () => subscription.close(),
  };
}
