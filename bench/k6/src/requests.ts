import type { Place } from "./cities.ts";
import type { Parcel } from "./parcels.ts";
import { randomUuid } from "./uuid.ts";

// Places of a city may lie beyond a border, where sites of the other country are as good.
const requirements = { anyCountry: true };

/** The request of `DirectoryService/FindNearest`, in the protocol's JSON. */
export function findNearest(origin: Place, parcel: Parcel) {
  return { origin, parcel, limit: 5, requirements };
}

/** The request of `ReservationService/Reserve` at the nearest site. @param radiusM how far it may be, in m; undefined: any distance */
export function reserveNearest(origin: Place, parcel: Parcel, radiusM?: number) {
  return { requestId: randomUuid(), nearest: { origin, ...(radiusM !== undefined && { radiusM }) }, parcel, requirements };
}

/** The request of `ReservationService/Confirm`. */
export function confirm(reservationId: string) {
  return { requestId: randomUuid(), reservationId };
}

/** The request of `ReservationService/IssueCredential` for the driver. */
export function depositCredential(reservationId: string) {
  return { requestId: randomUuid(), reservationId, act: "ACT_DEPOSIT" };
}

/** The request of `ReservationService/Cancel`. */
export function cancel(reservationId: string) {
  return { requestId: randomUuid(), reservationId, reason: "CANCELLATION_REASON_OTHER" };
}
