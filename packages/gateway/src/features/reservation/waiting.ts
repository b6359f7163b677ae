import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { promotedEvent, queuedEvent, queuedReservation, waitingRank } from "@petak/lifecycle";
import type { Party, Reservation, ReserveRequest } from "@petak/protocol";
import type { PlaceHold } from "@petak/records";
import { namedSiteQuery } from "../sites/nearest-query.ts";

/** How a request waits where no place is free. */
export interface WaitingFacts {
  asked: ReserveRequest;
  /** The reservation as it would be held. */
  held: Reservation;
  /** Until when it waits. */
  until: Timestamp;
  /** For how long a place is held when one comes free, in ms. */
  holdMs: number;
  /** When it came to wait elsewhere. Undefined: it comes now. */
  since?: Timestamp | undefined;
  actor: Party;
  atMs: number;
  /** The reservation that it replaces, where that is redirected. */
  relatedReservationId?: string;
}

/** The part of a hold that says how the reservation waits. */
export function waitingFor(facts: WaitingFacts): NonNullable<PlaceHold["waiting"]> {
  const { asked, held, until, holdMs, since, actor, atMs, relatedReservationId } = facts;
  const query = namedSiteQuery(asked, held.isTest, atMs);
  const kinds = asked.place.case === "nearest" ? asked.place.value.kinds : [];
  return {
    query: { ...query, kinds },
    takesUnknown: asked.includeUnknown,
    holdMs,
    ...(since === undefined ? {} : { sinceUs: waitingRank(since) }),
    reservation: queuedReservation(held, until),
    queuedEvent: (queued) => queuedEvent(queued, { actor, relatedReservationId }, atMs),
    promotedEvent: (reservationId) => promotedEvent(held, reservationId, atMs),
  };
}
