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

/** Resolves a doubt: records whether the operator found the parcel inside. */
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
      response: writtenReservation,
    }),
  });
  return create(ResolveDoubtResponseSchema, { reservation });
}
