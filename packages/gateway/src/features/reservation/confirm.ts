import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { confirm as confirmed, participantParty, refuseOutOfService } from "@petak/lifecycle";
import { type ConfirmRequest, ConfirmRequestSchema, type ConfirmResponse, ConfirmResponseSchema } from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import { changeReservation, writtenReservation } from "./changed-reservation.ts";
import type { ReservationDependencies } from "./dependencies.ts";

export type ConfirmDependencies = Pick<ReservationDependencies, "changes" | "termsBook" | "now" | "depositDefaultMs">;

/** Confirms a hold: the depositor has until `deposit_until` to bring the parcel. */
export async function confirm(
  { changes, termsBook, now, depositDefaultMs }: ConfirmDependencies,
  request: ConfirmRequest,
  caller: ParticipantCaller,
): Promise<ConfirmResponse> {
  const reservation = await changeReservation(changes, ConfirmRequestSchema, request, {
    caller,
    changer: "owner",
    plan: async (before, { site }) => {
      const terms = await termsBook.of(before);
      const depositWithinMs = request.depositWithin === undefined ? depositDefaultMs : durationMs(request.depositWithin);
      const transition = confirmed(
        before,
        { actor: participantParty(caller), terms, depositWithinMs, labelCodes: request.labelCodes },
        now(),
      );
      refuseOutOfService(before, site);
      return { transition, response: writtenReservation };
    },
  });
  return create(ConfirmResponseSchema, { reservation });
}
