import type { LogName } from "@petak/redis";
import type { StreamEvent } from "../events/event-log.ts";
import type { EventItem } from "./log-ends.ts";
import { logId, logsOf } from "./log-reference.ts";

/** What one log is to have of some events, in their order. */
export interface Share {
  readonly log: LogName;
  readonly items: readonly EventItem[];
}

/**
 * What each log is to have of some events.
 *
 * @param onError hears of an event of which it cannot be read whose it is: it belongs in no log, and must not keep the others from being logged
 */
export function sharesOf(events: readonly StreamEvent[], onError: (error: unknown) => void): Share[] {
  const shares = new Map<string, { log: LogName; items: EventItem[] }>();
  for (const logged of events) {
    const { entry } = logged;
    try {
      const { outline } = logged;
      for (const log of logsOf(outline)) {
        const share = shares.get(logId(log)) ?? { log, items: [] };
        share.items.push({ entry, recordedMs: outline.recordedMs, logged });
        shares.set(logId(log), share);
      }
    } catch (error) {
      onError(error);
    }
  }
  return [...shares.values()];
}
