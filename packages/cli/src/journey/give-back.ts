import { randomUUID } from "node:crypto";
import type { PetakClient } from "@petak/client/node";
import { CancellationReason, ReservationState } from "@petak/protocol";
import { toFailure } from "../failure.ts";

/** What giving back needs. */
export interface GiveBackOptions {
  url: string;
  courier: PetakClient;
  reservationId: string;
  /** Takes a sentence about what became of the place. */
  note: (sentence: string) => void;
}

/** Gives back the place of a journey that did not end. Says what became of it and never throws. */
export async function giveBack({ url, courier, reservationId, note }: GiveBackOptions): Promise<void> {
  try {
    const { reservation } = await courier.reservations.getReservation({ reservationId });
    switch (reservation?.state) {
      case ReservationState.HELD:
      case ReservationState.CONFIRMED:
        await courier.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
        note(`The reservation ${reservationId} was cancelled, so its place is free again.`);
        break;
      case ReservationState.DEPOSITED:
      case ReservationState.IN_DOUBT:
        note(`The reservation ${reservationId} keeps its place: for the gateway the parcel lies in it.`);
        break;
    }
  } catch (error) {
    note(
      `The reservation ${reservationId} could not be cancelled; its place is free again when its time is over. (${toFailure(error, url).message})`,
    );
  }
}
