import { create } from "@bufbuild/protobuf";
import { cancel as cancelled, participantParty } from "@petak/lifecycle";
import { type CancelRequest, CancelRequestSchema, type CancelResponse, CancelResponseSchema } from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import { changeReservation, writtenReservation } from "./changed-reservation.ts";
import type { ReservationDependencies } from "./dependencies.ts";

export type CancelDependencies = Pick<ReservationDependencies, "changes" | "termsBook" | "now">;

/** Cancels a reservation before the deposit. */
export async function cancel(
  { changes, termsBook, now }: CancelDependencies,
  request: CancelRequest,
  caller: ParticipantCaller,
): Promise<CancelResponse> {
  const reservation = await changeReservation(changes, CancelRequestSchema, request, {
    caller,
    changer: "owner or operator",
    plan: async (before, { site }) => {
      const facts = { actor: participantParty(caller), terms: await termsBook.of(before), site, reason: request.reason };
      const transition = cancelled(before, facts, now());
      return { transition, response: writtenReservation(transition) };
    },
  });
  return create(CancelResponseSchema, { reservation });
}
