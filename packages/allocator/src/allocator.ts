import type { Redis } from "ioredis";
import { createEventLog, type EventLog } from "./events/event-log.ts";
import { createKeys, type Keys } from "./keys.ts";
import { createRequestIds, type RequestIds } from "./reservations/request-ids.ts";
import { createReservationStore, type ReservationStore } from "./reservations/reservation-store.ts";
import { createHolds, type Holds } from "./reservations/reserve.ts";
import type { Candidate } from "./search/candidate.ts";
import { createIndexReader } from "./search/index-reader.ts";
import { findNearest } from "./search/nearest.ts";
import type { NearestQuery } from "./search/query.ts";
import { createTurnstile } from "./search/turnstile.ts";
import { createSiteStore, type SiteStore } from "./sites/site-store.ts";

/** Sites, places and reservations in Redis, and the index over them. */
export interface Allocator {
  /** The nearest sites that satisfy a query, exactly, nearest first. The signal ends a search that goes far. */
  nearest(query: NearestQuery, signal?: AbortSignal): Promise<Candidate[]>;
  readonly sites: SiteStore;
  readonly holds: Holds;
  readonly reservations: ReservationStore;
  readonly requestIds: RequestIds;
  readonly events: EventLog;
  readonly keys: Keys;
}

/** Searches beyond the origin's neighbourhood that run at once: more would gain nothing and make everybody wait for all of them. */
const wideSearchesAtOnce = 2;

/** Makes an allocator over one connection. `prefix` separates networks that share a server. */
export function createAllocator({ redis, prefix = "petak" }: { redis: Redis; prefix?: string }): Allocator {
  const keys = createKeys(prefix);
  const reader = createIndexReader(redis, keys);
  const wideSearches = createTurnstile(wideSearchesAtOnce);
  return {
    nearest: (query, signal) => findNearest(reader, wideSearches, query, signal),
    sites: createSiteStore(redis, keys),
    holds: createHolds(redis, keys),
    reservations: createReservationStore(redis, keys),
    requestIds: createRequestIds(redis, keys),
    events: createEventLog(redis, keys),
    keys,
  };
}
