import type { Region } from "@petak/protocol";
import { isAfter } from "../encoding/stream-entry.ts";

/** The regions with events that are not known to be in the feeds. */
export interface PendingRegions {
  /** Adds a region's entry and the participants that it concerns. `everyone`: not known. */
  add(region: Region, entry: string, concerned: ReadonlySet<string> | "everyone", nowMs: number): void;
  /** Hides a region from {@link before} until a time, after a failed attempt. */
  postpone(region: Region, timeMs: number): void;
  /** Removes a region's entries up to one: they are in the feeds. */
  remove(region: Region, upTo: string): void;
  /** The regions with an entry that may concern a participant. */
  of(participantId: string): Region[];
  /** The regions whose first entry was added before a time. */
  before(timeMs: number): Region[];
}

interface PendingRegion {
  /** When the first entry was added, or until when the region is postponed, in ms. */
  sinceMs: number;
  newest: string;
  /** The last entry that concerns each participant. */
  concerned: Map<string, string>;
  /** The last entry that may concern everyone. */
  unknown: string | undefined;
}

/** Creates an empty set. Its size is bounded by what is recorded until the feeds are built. */
export function createPendingRegions(): PendingRegions {
  const regions = new Map<Region, PendingRegion>();
  return {
    add(region, entry, concerned, nowMs) {
      const pending = regions.get(region) ?? { sinceMs: nowMs, newest: entry, concerned: new Map(), unknown: undefined };
      regions.set(region, pending);
      pending.newest = entry;
      if (concerned === "everyone") pending.unknown = entry;
      else for (const participantId of concerned) pending.concerned.set(participantId, entry);
    },
    postpone(region, timeMs) {
      const pending = regions.get(region);
      if (pending !== undefined) pending.sinceMs = timeMs;
    },
    remove(region, upTo) {
      const pending = regions.get(region);
      if (pending === undefined) return;
      if (!isAfter(pending.newest, upTo)) {
        regions.delete(region);
        return;
      }
      for (const [participantId, entry] of pending.concerned) {
        if (!isAfter(entry, upTo)) pending.concerned.delete(participantId);
      }
      if (pending.unknown !== undefined && !isAfter(pending.unknown, upTo)) pending.unknown = undefined;
    },
    of: (participantId) =>
      [...regions].flatMap(([region, { concerned, unknown }]) => (unknown !== undefined || concerned.has(participantId) ? [region] : [])),
    before: (timeMs) => [...regions].flatMap(([region, { sinceMs }]) => (sinceMs <= timeMs ? [region] : [])),
  };
}
