import { create } from "@bufbuild/protobuf";
import { type GetReservationRequest, type GetReservationResponse, GetReservationResponseSchema, ReservationState } from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import type { ReservationDependencies } from "./dependencies.ts";

export type GetReservationDependencies = Pick<ReservationDependencies, "changes" | "queues" | "termsBook">;

/** Returns a reservation with its terms and, if it is queued, its position in the queue. */
export async function getReservation(
  { changes, queues, termsBook }: GetReservationDependencies,
  { reservationId }: GetReservationRequest,
  caller: ParticipantCaller,
): Promise<GetReservationResponse> {
  const reservation = await changes.findOwn(reservationId, caller);
  const terms = await termsBook.of(reservation);
  if (reservation.state !== ReservationState.QUEUED) return create(GetReservationResponseSchema, { reservation, terms });
  const queuePosition = await queues.position(reservation.reservationId);
  // Without a position it has just left the queue, so it is read again.
  const current = queuePosition === undefined ? await changes.findOwn(reservationId, caller) : { ...reservation, queuePosition };
  return create(GetReservationResponseSchema, { reservation: current, terms });
}
