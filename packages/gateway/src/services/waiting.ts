import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventType, type Party, PartyKind, type Reservation, ReservationState, type ReserveRequest } from "@petak/protocol";
import type { Waiting } from "@petak/records";
import { reservationEvent } from "../domain/reservation-event.ts";
import type { TermsBook } from "../stores/terms-book.ts";
import { namedSiteQuery } from "./nearest-query.ts";

/** How a request waits where nothing is free. */
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
  /** The reservation whose place it takes. */
  relatedReservationId?: string;
  termsBook: TermsBook;
}

/** What the allocator needs to let a reservation wait. */
export function waitingFor(facts: WaitingFacts): Waiting {
  const { asked, held, until, holdMs, since, actor, atMs, relatedReservationId, termsBook } = facts;
  const { holdExpiresAt: _holdExpiresAt, ...kept } = held;
  const reservation: Reservation = { ...kept, state: ReservationState.QUEUED, queuedUntil: until };
  const query = namedSiteQuery(asked, held.isTest, atMs);
  const kinds = asked.place.case === "nearest" ? asked.place.value.kinds : [];
  return {
    query: { ...query, kinds },
    takesUnknown: asked.includeUnknown,
    holdMs,
    termsAt: async (site) => (await termsBook.atSite(site)).termsNumber,
    ...(since === undefined ? {} : { sinceUs: microseconds(since) }),
    reservation,
    queuedEvent: (queued) =>
      reservationEvent({
        type: EventType.RESERVATION_QUEUED,
        reservation: queued,
        stateBefore: ReservationState.UNSPECIFIED,
        actor,
        occurredAtMs: atMs,
        ...(relatedReservationId === undefined ? {} : { relatedReservationId }),
      }),
    promotedEvent: (reservationId) =>
      timeless(
        reservationEvent({
          type: EventType.RESERVATION_PROMOTED,
          reservation: { ...held, siteId: "", operatorId: "", revision: 0 },
          reservationId,
          stateBefore: ReservationState.QUEUED,
          actor: { kind: PartyKind.GATEWAY },
          occurredAtMs: atMs,
        }),
      ),
  };
}

/** The end of a wait that begins at an instant. */
export function waitUntil({ seconds, nanos }: { seconds: bigint; nanos: number }, fromMs: number): Timestamp {
  return timestampFromMs(fromMs + Number(seconds) * 1000 + Math.floor(nanos / 1_000_000));
}

function microseconds({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1_000_000 + Math.floor(nanos / 1000);
}

/** When it happens turns out where it happens. */
function timeless({ occurredAt: _occurredAt, recordedAt: _recordedAt, ...event }: Event): Event {
  return event;
}
