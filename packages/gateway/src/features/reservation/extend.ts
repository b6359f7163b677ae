import { create } from "@bufbuild/protobuf";
import { extend as extended, participantParty } from "@petak/lifecycle";
import { type ExtendRequest, ExtendRequestSchema, type ExtendResponse, ExtendResponseSchema } from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import { changeReservation, writtenReservation } from "./changed-reservation.ts";
import type { ReservationDependencies } from "./dependencies.ts";

export type ExtendDependencies = Pick<ReservationDependencies, "changes" | "termsBook" | "now" | "holdMaxMs">;

/** Moves the limit in force of a reservation to a later time. */
export async function extend(
  { changes, termsBook, now, holdMaxMs }: ExtendDependencies,
  request: ExtendRequest,
  caller: ParticipantCaller,
): Promise<ExtendResponse> {
  const reservation = await changeReservation(changes, ExtendRequestSchema, request, {
    isRepeatable: true,
    caller,
    changer: "owner or operator",
    plan: async (before) => {
      const { until } = request;
      if (until === undefined) throw new TypeError("validation accepted an empty field");
      const facts = { actor: participantParty(caller), until, terms: await termsBook.of(before), holdMaxMs };
      const transition = extended(before, facts, now());
      return { transition, response: writtenReservation(transition) };
    },
  });
  return create(ExtendResponseSchema, { reservation });
}
