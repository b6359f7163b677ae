import type { Region } from "@petak/protocol";
import { isAfter } from "../events/event-stream.ts";

/** What was heard of and is not known to be in the feeds. */
export interface PendingRegions {
  /** A region has an entry, which concerns some participants; undefined: nobody knows whom. */
  add(region: Region, entry: string, concerned: ReadonlySet<string> | "everyone", nowMs: number): void;
  /** It was tried, and failed: {@link before} gives the region again when it is asked of a time after this. */
  postpone(region: Region, timeMs: number): void;
  /** All up to an entry is in the feeds. */
  remove(region: Region, upTo: string): void;
  /** Regions with something that may concern a participant. */
  of(participantId: string): Region[];
  /** Regions with something of which was heard before a time. */
  before(timeMs: number): Region[];
}

interface PendingRegion {
  /** When the first was heard of, in ms, or until when it is left alone. */
  sinceMs: number;
  newest: string;
  /** Participant → the last entry that concerns it. */
  concerned: Map<string, string>;
  /** The last entry of which nobody knows whom it concerns. */
  unknown: string | undefined;
}

/** Makes an empty record. It holds as much as is heard in the short time in which feeds are built. */
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
