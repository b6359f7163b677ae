import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Act,
  type Allowance,
  AllowanceSchema,
  type Bundle,
  type BundleAllowance,
  BundleAllowanceSchema,
  Purpose,
  type Reservation,
  ReservationState,
} from "@petak/protocol";
import { isOverdue } from "./deadlines.ts";
import { revokedHashes } from "./delegations.ts";
import { labelCodesOf } from "./label-codes.ts";
import type { PinEntry } from "./transition.ts";

const S = ReservationState;

/**
 * The allowances that a site's agent gets for a reservation. A reservation that has ended is included with its state, since a token to deposit may still be in
 * circulation. A hold is included before it is confirmed, so that the agent keeps the door of a hard hold free.
 *
 * @param pin the PIN of the reservation; undefined: none
 * @param participantName the name of the participant that made it; empty: not known
 */
export function allowancesOf(reservation: Reservation, pin: PinEntry | undefined, participantName: string): Allowance[] {
  const { sizeClassId, compartmentId, heldCompartmentId, state, depositUntil } = reservation;
  const isHeld = state === S.HELD;
  const always = { ...parcelFacts(reservation, participantName), sizeClassId, state, revokedCredentialHashes: revokedHashes(reservation) };
  const allowances: Allowance[] = [];
  if (isHeld || state === S.CONFIRMED || (state !== S.DEPOSITED && depositUntil !== undefined)) {
    allowances.push(
      create(AllowanceSchema, {
        ...always,
        act: Act.DEPOSIT,
        compartmentId: heldCompartmentId,
        notBefore: reservation.updatedAt,
        expiresAt: isHeld ? reservation.holdExpiresAt : depositUntil,
      }),
    );
  }
  if (state === S.DEPOSITED || pin !== undefined) {
    allowances.push(
      create(AllowanceSchema, {
        ...always,
        act: Act.COLLECT,
        compartmentId,
        ...(reservation.depositedAt && { notBefore: reservation.depositedAt }),
        ...(reservation.collectUntil && { expiresAt: reservation.collectUntil }),
        ...pinFields(pin),
      }),
    );
  }
  return allowances;
}

/** What the people at a site must know of a parcel: how its label is recognised, what to check, and whose it is. */
function parcelFacts(reservation: Reservation, participantName: string) {
  const { reservationId, parcel, purpose, participantId } = reservation;
  return {
    ...{ reservationId, purpose, participantId, participantName },
    labelCodes: [...labelCodesOf(reservation)],
    requirements: parcel?.requirements ?? [],
    ...(parcel?.cashDue && { cashDue: parcel.cashDue }),
    ...(isOverdue(reservation) && { overdueSince: reservation.overdueSince }),
  };
}

/**
 * Whether a parcel at a site waits for the participant that made its reservation: it is to be taken back since it is overdue, or to be fetched since somebody has
 * brought it for the participant. False where an earlier gateway does not say what the reservation is for.
 */
export function awaitsParticipant({ act, state, purpose, overdueSince }: Allowance): boolean {
  if (act !== Act.COLLECT || state !== S.DEPOSITED) return false;
  return overdueSince !== undefined || (purpose !== Purpose.DELIVERY && purpose !== Purpose.UNSPECIFIED);
}

/** The allowance that a site's agent gets for a bundle. @param reservationIds the members for which the agent gets allowances */
export function bundleAllowanceOf(bundle: Bundle, reservationIds: readonly string[], pin: PinEntry | undefined): BundleAllowance {
  return create(BundleAllowanceSchema, {
    bundleId: bundle.bundleId,
    ...pinFields(pin),
    revokedCredentialHashes: revokedHashes(bundle),
    reservationIds: [...reservationIds],
  });
}

function pinFields(pin: PinEntry | undefined) {
  if (pin === undefined) return {};
  const { hash, notBeforeS, expiresAtS } = pin;
  return { pinHash: hash, notBefore: timestampFromMs(notBeforeS * 1000), expiresAt: timestampFromMs(expiresAtS * 1000) };
}
