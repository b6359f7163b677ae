import { randomUUID } from "node:crypto";
import type { PetakClient } from "@petak/client/node";
import { findTransition, hasEnded } from "@petak/lifecycle";
import { CancellationReason, ReservationState } from "@petak/protocol";
import { toFailure } from "../failure.ts";

export interface GiveBackOptions {
  url: string;
  courier: PetakClient;
  reservationId: string;
  /** Receives a sentence that says whether the place is free again. */
  note: (sentence: string) => void;
}

/** Cancels the reservation of an unfinished journey, if that is possible, and notes the result. Never throws. */
export async function giveBack({ url, courier, reservationId, note }: GiveBackOptions): Promise<void> {
  try {
    const { reservation } = await courier.reservations.getReservation({ reservationId });
    if (reservation === undefined || hasEnded(reservation)) return;
    if (findTransition(reservation.state, ReservationState.CANCELLED) === undefined) {
      note(`The reservation ${reservationId} keeps its place: according to the gateway the parcel is inside.`);
      return;
    }
    await courier.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
    note(`The reservation ${reservationId} was cancelled, so its place is free again.`);
  } catch (error) {
    note(
      `The reservation ${reservationId} could not be cancelled; its place is free again when the reservation expires. (${toFailure(error, url).message})`,
    );
  }
}
