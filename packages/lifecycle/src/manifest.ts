import { create } from "@bufbuild/protobuf";
import {
  type ManifestEntry,
  ManifestEntrySchema,
  ManifestTask,
  type Party,
  PartyKind,
  type Reservation,
  ReservationState,
} from "@petak/protocol";
import { isOverdue } from "./deadlines.ts";
import { labelCodesOf } from "./label-codes.ts";

/** What a participant has to do with a parcel at the reservation's site. Undefined: nothing. */
export function manifestEntryOf(reservation: Reservation, participantId: string): ManifestEntry | undefined {
  const task = taskOf(reservation, participantId);
  if (task === undefined) return undefined;
  const { reservationId, purpose, partnerReference, sizeClassId, bundleId, siteId, siteChange } = reservation;
  const isBrought = task === ManifestTask.BRING;
  const dueAt = isBrought ? reservation.depositUntil : reservation.collectUntil;
  return create(ManifestEntrySchema, {
    ...{ task, reservationId, purpose, partnerReference, sizeClassId, bundleId },
    labelCodes: [...labelCodesOf(reservation)],
    compartmentId: isBrought ? reservation.heldCompartmentId : reservation.compartmentId,
    ...(dueAt && { dueAt }),
    // A change of an earlier site says nothing of a reservation that has been promoted at another one.
    cannotBeKept: isBrought && siteChange !== undefined && siteChange.siteId === siteId && !siteChange.canBeKept,
  });
}

function taskOf(reservation: Reservation, participantId: string): ManifestTask | undefined {
  const { state, depositor, collector } = reservation;
  const isMe = (party: Party | undefined) => party?.kind === PartyKind.PARTICIPANT && party.participantId === participantId;
  if (state === ReservationState.CONFIRMED) return isMe(depositor) ? ManifestTask.BRING : undefined;
  if (state !== ReservationState.DEPOSITED) return undefined;
  if (isMe(collector)) return ManifestTask.COLLECT;
  return isMe(depositor) && isOverdue(reservation) ? ManifestTask.TAKE_BACK : undefined;
}
