import { isLiveBefore } from "@petak/lifecycle";
import { formatReservationId, type Region, type Reservation, ReservationState } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { InvalidReservation } from "../encoding/reservation-record.ts";
import type { ShortIds } from "../encoding/short-ids.ts";
import type { SiteStore } from "../sites/site-store.ts";
import type { ReservationStore } from "./reservation-store.ts";

/** Finds the live reservations of sites. */
export interface SiteHolders {
  /**
   * Passes the reservations that wait or hold a place at sites of one region, or have their parcel inside, to `visit`, some at a time; one may come twice, as it was
   * read each time. None is missed that was there before the call and is still live at its end, whatever changes meanwhile: they are read in the order of their
   * states. First those in the queues; then soft holds, from the region's deadlines, for no index of them is kept, since it would make each hold dearer; then those
   * that the sites' agents know.
   */
  visit(region: Region, siteIds: readonly string[], visit: (some: readonly Reservation[]) => Promise<void>): Promise<void>;
}

/** Reservations that are read at a time. */
const pageSize = 256;

/** The soft holds at a site, and the revision of its facts with which they were counted. */
interface SoftHolds {
  count: number;
  revision: number;
}

/** Whether a hold was certainly there when those of its site were counted. Later ones, of a site that is back in service, must not stand for one of these. */
function isCounted({ siteRevision, queuedSince }: Reservation, revision: number): boolean {
  return siteRevision <= revision && queuedSince === undefined;
}

/** Reads the live reservations of sites from Redis. */
export function createSiteHolders(
  redis: RedisConnection,
  keys: Keys,
  { siteIds: ids }: Pick<ShortIds, "siteIds">,
  sites: Pick<SiteStore, "find">,
  reservations: Pick<ReservationStore, "find" | "allowedAt">,
): SiteHolders {
  async function readAll(region: Region, handles: readonly string[]): Promise<Reservation[]> {
    const found = await Promise.allSettled(handles.map((handle) => reservations.find(formatReservationId(region, handle))));
    return found.flatMap((result) => {
      if (result.status === "rejected") {
        // An invalid record must not hide the others; it tells nobody anything. Whoever could not be read is still to be told.
        if (result.reason instanceof InvalidReservation) return [];
        throw result.reason;
      }
      return result.value === undefined ? [] : [result.value];
    });
  }

  async function visitQueue(region: Region, siteId: string, visit: (some: readonly Reservation[]) => Promise<void>): Promise<void> {
    const { siteNumber } = ids.require(siteId);
    const handles = await redis.zrange(keys.siteQueue(region, siteNumber), "0", "-1");
    for (let from = 0; from < handles.length; from += pageSize) {
      await visit((await readAll(region, handles.slice(from, from + pageSize))).filter(({ state }) => state === ReservationState.QUEUED));
    }
  }

  /** The soft holds at a site. Infinitely many if there may be more while they are being read, because the site takes reservations. */
  async function softHolds(siteId: string): Promise<SoftHolds> {
    const stored = await sites.find(siteId);
    if (stored === undefined) return { count: 0, revision: 0 };
    const { revision } = stored.site;
    const held = stored.counts.reduce((sum, count) => sum + count.held, 0);
    if (held === 0) return { count: 0, revision };
    if (stored.isOffered) return { count: Number.POSITIVE_INFINITY, revision };
    const known = await reservations.allowedAt(siteId);
    return { count: Math.max(0, held - known.filter(({ reservation }) => isLiveBefore(reservation)).length), revision };
  }

  async function visitSoftHolds(
    region: Region,
    siteIds: readonly string[],
    visit: (some: readonly Reservation[]) => Promise<void>,
  ): Promise<void> {
    const found = await Promise.all(siteIds.map(softHolds));
    let missing = found.reduce((sum, { count }) => sum + count, 0);
    const wanted = new Map(
      siteIds.flatMap((siteId, index) => ((found[index]?.count ?? 0) > 0 ? [[siteId, found[index]?.revision ?? 0]] : [])),
    );
    const seen = new Set<string>();
    // From the earliest deadline: holds end soon. A deadline only moves to later times while a reservation is held, so none is passed by.
    let after = "-inf";
    while (missing > 0) {
      const page = await redis.zrangebyscore(keys.deadlines(region), after, "+inf", "WITHSCORES", "LIMIT", 0, pageSize);
      const last = page.at(-1);
      if (last === undefined) return;
      // All of the last time, so that the next page begins after it.
      const lastOnes = await redis.zrangebyscore(keys.deadlines(region), last, last);
      const handles = new Set([...page.filter((_, index) => index % 2 === 0), ...lastOnes]);
      const held = (await readAll(region, [...handles])).filter(
        ({ state, siteId, heldCompartmentId }) => state === ReservationState.HELD && heldCompartmentId === "" && wanted.has(siteId),
      );
      const fresh = held.filter(({ reservationId }) => !seen.has(reservationId));
      for (const { reservationId } of fresh) seen.add(reservationId);
      missing -= fresh.filter((one) => isCounted(one, wanted.get(one.siteId) ?? 0)).length;
      if (fresh.length > 0) await visit(fresh);
      after = `(${last}`;
    }
  }

  return {
    async visit(region, siteIds, visit) {
      for (const siteId of siteIds) await visitQueue(region, siteId, visit);
      await visitSoftHolds(region, siteIds, visit);
      for (const siteId of siteIds) {
        const known = (await reservations.allowedAt(siteId)).map(({ reservation }) => reservation);
        await visit(known.filter((one) => isLiveBefore(one) || one.state === ReservationState.DEPOSITED));
      }
    },
  };
}
