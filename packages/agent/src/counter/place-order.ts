import type { AgentStore } from "../store/agent-store.ts";
import type { Shelf } from "./shelf.ts";

/** How much a place of the shelf is liked at most. So many choices to the contrary end a habit. */
export const likingMax = 8;

/** Where a parcel is best put, of the places that are free. */
export interface PlaceOrder {
  /** The size class of a place. Undefined: the shelf has none of that name. */
  sizeOf(placeId: string): string | undefined;
  /**
   * Sorts free places for a parcel, the best first. If a parcel that the same code hands over lies here, by how near they are to it on the shelf; then by what clerks
   * have chosen themselves; then in the shelf's order.
   */
  sort(reservationId: string, placeIds: readonly string[]): string[];
  /** Learns that a clerk put a parcel on a place of its size that was not suggested. @param left where it was or should have been. Empty: nowhere */
  chosen(placeId: string, left: string): void;
}

/** Makes it. Call `chosen` within a transaction. */
export function createPlaceOrder(store: AgentStore, shelf: Shelf): PlaceOrder {
  const { counter } = store;

  function like(placeId: string, by: number): void {
    counter.setLiking(placeId, Math.min(likingMax, Math.max(0, counter.liking(placeId) + by)));
  }

  /** The reservation whose parcel lies on a place, or was scanned in a delivery that is under way. */
  function lying(): Map<string, string> {
    const scanned = counter.openDeliveries().flatMap(({ delivery }) => delivery.parcels);
    const stored = shelf.compartments().map(({ compartmentId }) => store.compartment(compartmentId));
    return new Map([
      ...scanned.map(({ shelfPlace, reservationId }) => [shelfPlace, reservationId] as const),
      ...stored.filter(({ reservationId }) => reservationId !== "").map((one) => [one.compartmentId, one.reservationId] as const),
    ]);
  }

  return {
    sizeOf: (placeId) => shelf.compartments().find(({ compartmentId }) => compartmentId === placeId)?.sizeClassId,
    sort(reservationId, placeIds) {
      const places = shelf.compartments().map(({ compartmentId }) => compartmentId);
      const together = new Set(
        store
          .bundles()
          .filter((bundle) => bundle.reservationIds.includes(reservationId))
          .flatMap((bundle) => bundle.reservationIds),
      );
      const here = together.size === 0 ? new Map<string, string>() : lying();
      const beside = places.flatMap((placeId, at) => (together.has(here.get(placeId) ?? "") ? [at] : []));
      const ranked = placeIds.map((placeId) => {
        const at = places.indexOf(placeId);
        // No parcel lies here that it belongs to: all places are as near.
        const away = Math.min(places.length, ...beside.map((other) => Math.abs(at - other)));
        return { placeId, at, away, liking: counter.liking(placeId) };
      });
      return ranked
        .toSorted((one, other) => one.away - other.away || other.liking - one.liking || one.at - other.at)
        .map(({ placeId }) => placeId);
    },
    chosen(placeId, left) {
      like(placeId, 1);
      if (left !== "") like(left, -1);
    },
  };
}
