import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Transition } from "@petak/lifecycle";
import { type Reservation, ReservationSchema } from "@petak/protocol";
import type { ChangeByRequest, ChangeRequest, ReservationChanges } from "../idempotency/change-reservation.ts";

/** Makes a change whose response is the reservation. */
export async function changeReservation<Desc extends DescMessage>(
  changes: Pick<ReservationChanges, "changeBy">,
  schema: Desc,
  request: MessageShape<Desc> & ChangeRequest,
  change: ChangeByRequest,
): Promise<Reservation> {
  return fromBinary(ReservationSchema, await changes.changeBy(schema, request, change));
}

/** Encodes the reservation as it was written, including the head of its receipt chain, as the response to store. */
export function writtenReservation({ after }: Pick<Transition, "after">): Uint8Array {
  if (after === undefined) throw new TypeError("the transition does not write the reservation");
  return toBinary(ReservationSchema, after);
}
