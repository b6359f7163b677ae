import { EventType, type Region } from "@petak/protocol";
import type { Records } from "../../records.ts";

/** What is known of a reservation beside its events: for which classes of which sites it came. */
export interface Wanted {
  siteIds: readonly string[];
  /** The ids of the size classes of a site that would do. */
  fittingAt: (siteId: string) => readonly string[];
}

/**
 * What a region's record tells of unfairness, in words; empty where there was none. The record has everything in the order in which it was done. So
 * nobody may take a place by coming late while somebody waits for it, nor be promoted before somebody who came earlier and fits.
 */
export async function unfairIn(records: Records, region: Region, wantedBy: ReadonlyMap<string, Wanted>): Promise<string[]> {
  const waiting = new Set<string>();
  const found: string[] = [];
  const events = await records.events.readAfter(region, "0-0", 1_000_000);
  for (const { event } of events) {
    const { type, reservationId, siteId } = event;
    if (type === EventType.RESERVATION_QUEUED) waiting.add(reservationId);
    if (type === EventType.RESERVATION_CANCELLED) waiting.delete(reservationId);
    if (type !== EventType.RESERVATION_HELD && type !== EventType.RESERVATION_PROMOTED) continue;
    if (type === EventType.RESERVATION_PROMOTED && !waiting.has(reservationId))
      found.push(`${reservationId} was promoted and did not wait`);
    const taken = (await records.reservations.find(reservationId))?.sizeClassId ?? "";
    for (const other of waiting) {
      if (other === reservationId) break;
      const wanted = wantedBy.get(other);
      if (wanted?.siteIds.includes(siteId) === true && wanted.fittingAt(siteId).includes(taken)) {
        found.push(`${reservationId} got ${taken} at ${siteId}, for which ${other} waited`);
      }
    }
    waiting.delete(reservationId);
  }
  return found;
}
