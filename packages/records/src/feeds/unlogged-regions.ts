import type { Region } from "@petak/protocol";
import { isAfter } from "../events/event-log.ts";

/** What was heard of and is not known to be in the logs. */
export interface UnloggedRegions {
  /** A region has an entry, which concerns some participants; undefined: nobody knows whom. */
  add(region: Region, entry: string, concerned: ReadonlySet<string> | "everyone", nowMs: number): void;
  /** It was tried, and failed: {@link before} gives the region again when it is asked of a time after this. */
  postpone(region: Region, timeMs: number): void;
  /** All up to an entry is in the logs. */
  remove(region: Region, upTo: string): void;
  /** Regions with something that may concern a participant. */
  of(participantId: string): Region[];
  /** Regions with something of which was heard before a time. */
  before(timeMs: number): Region[];
}

interface Unlogged {
  /** When the first was heard of, in ms, or until when it is left alone. */
  sinceMs: number;
  newest: string;
  /** Participant → the last entry that concerns it. */
  concerned: Map<string, string>;
  /** The last entry of which nobody knows whom it concerns. */
  unknown: string | undefined;
}

/** Makes an empty record. It holds as much as is heard in the short time in which logs are built. */
export function createUnloggedRegions(): UnloggedRegions {
  const regions = new Map<Region, Unlogged>();
  return {
    add(region, entry, concerned, nowMs) {
      const unlogged = regions.get(region) ?? { sinceMs: nowMs, newest: entry, concerned: new Map(), unknown: undefined };
      regions.set(region, unlogged);
      unlogged.newest = entry;
      if (concerned === "everyone") unlogged.unknown = entry;
      else for (const participantId of concerned) unlogged.concerned.set(participantId, entry);
    },
    postpone(region, timeMs) {
      const unlogged = regions.get(region);
      if (unlogged !== undefined) unlogged.sinceMs = timeMs;
    },
    remove(region, upTo) {
      const unlogged = regions.get(region);
      if (unlogged === undefined) return;
      if (!isAfter(unlogged.newest, upTo)) {
        regions.delete(region);
        return;
      }
      for (const [participantId, entry] of unlogged.concerned) {
        if (!isAfter(entry, upTo)) unlogged.concerned.delete(participantId);
      }
      if (unlogged.unknown !== undefined && !isAfter(unlogged.unknown, upTo)) unlogged.unknown = undefined;
    },
    of: (participantId) =>
      [...regions].flatMap(([region, { concerned, unknown }]) => (unknown !== undefined || concerned.has(participantId) ? [region] : [])),
    before: (timeMs) => [...regions].flatMap(([region, { sinceMs }]) => (sinceMs <= timeMs ? [region] : [])),
  };
}
