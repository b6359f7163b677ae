import { create } from "@bufbuild/protobuf";
import { participantParty, resolveDoubt as resolved } from "@petak/lifecycle";
import {
  type ResolveDoubtRequest,
  ResolveDoubtRequestSchema,
  type ResolveDoubtResponse,
  ResolveDoubtResponseSchema,
} from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import { changeReservation, writtenReservation } from "./changed-reservation.ts";
import type { ReservationDependencies } from "./dependencies.ts";

export type ResolveDoubtDependencies = Pick<ReservationDependencies, "changes" | "now">;

/** Records what the operator found at a door of which nobody knew whether a parcel is inside. */
export async function resolveDoubt(
  { changes, now }: ResolveDoubtDependencies,
  request: ResolveDoubtRequest,
  caller: ParticipantCaller,
): Promise<ResolveDoubtResponse> {
  const reservation = await changeReservation(changes, ResolveDoubtRequestSchema, request, {
    caller,
    changer: "operator",
    plan: async (before) => ({
      transition: resolved(before, { actor: participantParty(caller), outcome: request.outcome }, now()),
      answer: writtenReservation,
    }),
  });
  return create(ResolveDoubtResponseSchema, { reservation });
}
