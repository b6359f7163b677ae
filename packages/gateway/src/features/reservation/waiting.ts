import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { promotedEvent, queuedEvent, queuedReservation, waitingRank } from "@petak/lifecycle";
import type { Party, Reservation, ReserveRequest } from "@petak/protocol";
import type { PlaceHold } from "@petak/records";
import { namedSiteQuery } from "../sites/nearest-query.ts";

/** Input of {@link waitingFor}. */
export interface WaitingFacts {
  asked: ReserveRequest;
  /** The reservation as it will be when a place is held. */
  held: Reservation;
  /** End of the wait. */
  until: Timestamp;
  /** Duration of the hold after the promotion, in ms. */
  holdMs: number;
  /** When the replaced reservation was queued, whose rank this one keeps. Undefined: queued now. */
  since?: Timestamp | undefined;
  actor: Party;
  atMs: number;
  /** The reservation that it replaces in a redirection. */
  relatedReservationId?: string;
}

/** Makes the part of a hold that queues the reservation if no place is free. */
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
