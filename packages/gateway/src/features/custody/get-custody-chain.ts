import { create } from "@bufbuild/protobuf";
import { isParty } from "@petak/lifecycle";
import { type GetCustodyChainRequest, type GetCustodyChainResponse, GetCustodyChainResponseSchema } from "@petak/protocol";
import { type EventStream, type ReservationStore, reservationNotFound } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import type { EventView } from "./event-view.ts";
import type { Receipts } from "./receipts/receipts.ts";
import { receiptsOf } from "./receipts/receipts-of.ts";

export interface GetCustodyChainDependencies {
  reservations: Pick<ReservationStore, "find">;
  events: Pick<EventStream, "countedChain">;
  receipts: Pick<Receipts, "state">;
  view: EventView;
  now: () => number;
}

/** Returns a reservation with its events, their receipts, and a signed statement of their number. Throws RESERVATION_NOT_FOUND unless the caller is a party. */
export async function getCustodyChain(
  { reservations, events: stream, receipts, view, now }: GetCustodyChainDependencies,
  { reservationId }: GetCustodyChainRequest,
  caller: ParticipantCaller,
): Promise<GetCustodyChainResponse> {
  // Taken before anything is read: the statement must cover everything recorded until this time.
  const asOfMs = now();
  const reservation = await reservations.find(reservationId);
  if (reservation === undefined || !isParty(reservation, caller)) throw reservationNotFound(reservationId);
  // Events recorded after the reservation was read are omitted, so that its state and the head of its chain match the events.
  const { events: found, earlierCount } = await stream.countedChain(reservationId);
  const events = await view(found.filter(({ reservationRevision }) => reservationRevision <= reservation.revision));
  const statement = await receipts.state({ reservation, events, earlierCount, asOfMs });
  return create(GetCustodyChainResponseSchema, { reservation, events, receipts: await receiptsOf(events), statement });
}
