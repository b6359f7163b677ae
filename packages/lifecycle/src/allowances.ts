import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Act,
  type Allowance,
  AllowanceSchema,
  type Bundle,
  type BundleAllowance,
  BundleAllowanceSchema,
  type Reservation,
  ReservationState,
} from "@petak/protocol";
import { revokedHashes } from "./delegations.ts";
import type { PinEntry } from "./transition.ts";

const S = ReservationState;

/**
 * The allowances that a site's agent gets for a reservation. A reservation that has ended is included with its state, since a token to deposit may still be in
 * circulation. A hold is included before it is confirmed, so that the agent keeps the door of a hard hold free.
 *
 * @param pin the PIN of the reservation; undefined: none
 */
export function allowancesOf(reservation: Reservation, pin: PinEntry | undefined): Allowance[] {
  const { reservationId, sizeClassId, compartmentId, heldCompartmentId, state, depositUntil } = reservation;
  const isHeld = state === S.HELD;
  const revokedCredentialHashes = revokedHashes(reservation);
  const allowances: Allowance[] = [];
  if (isHeld || state === S.CONFIRMED || (state !== S.DEPOSITED && depositUntil !== undefined)) {
    allowances.push(
      create(AllowanceSchema, {
        reservationId,
        act: Act.DEPOSIT,
        sizeClassId,
        compartmentId: heldCompartmentId,
        notBefore: reservation.updatedAt,
        expiresAt: isHeld ? reservation.holdExpiresAt : depositUntil,
        state,
        revokedCredentialHashes,
      }),
    );
  }
  if (state === S.DEPOSITED || pin !== undefined) {
    allowances.push(
      create(AllowanceSchema, {
        reservationId,
        act: Act.COLLECT,
        sizeClassId,
        compartmentId,
        ...(reservation.depositedAt && { notBefore: reservation.depositedAt }),
        ...(reservation.collectUntil && { expiresAt: reservation.collectUntil }),
        ...pinFields(pin),
        state,
        revokedCredentialHashes,
      }),
    );
  }
  return allowances;
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
