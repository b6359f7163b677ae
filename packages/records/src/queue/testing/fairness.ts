import { EventType, type Region } from "@petak/protocol";
import type { Records } from "../../records.ts";

/** What a reservation was requested for: size classes of sites. */
export interface Wanted {
  siteIds: readonly string[];
  /** The ids of the size classes of a site that fit. */
  fittingAt: (siteId: string) => readonly string[];
}

/**
 * Describes violations of fairness in a region's event stream, which has all events in order: no reservation may take a place for which another is queued, nor be
 * promoted before an earlier one that fits.
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
    if (type === EventType.RESERVATION_PROMOTED && !waiting.has(reservationId)) found.push(`${reservationId} was promoted but not queued`);
    const taken = (await records.reservations.find(reservationId))?.sizeClassId ?? "";
    for (const other of waiting) {
      if (other === reservationId) break;
      const wanted = wantedBy.get(other);
      if (wanted?.siteIds.includes(siteId) === true && wanted.fittingAt(siteId).includes(taken)) {
        found.push(`${reservationId} got ${taken} at ${siteId}, for which ${other} was queued`);
      }
    }
    waiting.delete(reservationId);
  }
  return found;
}
