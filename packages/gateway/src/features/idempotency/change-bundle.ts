import { type BundleTransition, isParty } from "@petak/lifecycle";
import { type Bundle, PetakError, parseBundleId, type Region, type Reservation } from "@petak/protocol";
import { type BundleChange, type BundleStore, type RequestIds, type ReservationStore, reservationNotFound } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";

/** A change of a bundle by a request, and its encoded response. */
interface PlannedChange extends Pick<BundleChange, "siteId" | "nowMs" | "isRepeatable"> {
  transition: BundleTransition;
  response: Uint8Array;
}

/** Reads and changes bundles for their parties. */
export interface BundleChanges {
  /** Finds a bundle to which the caller is a party. Throws BUNDLE_NOT_FOUND otherwise. */
  findOwn(bundleId: string, caller: ParticipantCaller): Promise<Bundle>;
  /** Finds reservations that the caller made, in the order of the ids. Throws RESERVATION_NOT_FOUND if the caller did not make one of them. */
  findMembers(reservationIds: readonly string[], caller: ParticipantCaller): Promise<Reservation[]>;
  /** The reservations that are still in a bundle, in the bundle's order. */
  membersOf(bundle: Bundle): Promise<Reservation[]>;
  /**
   * Makes a change once and returns its encoded response. A duplicate gets the stored response. The change is retried if the bundle or its reservations
   * are changed concurrently.
   *
   * @param isNew whether the bundle may be missing. Otherwise BUNDLE_NOT_FOUND, also if another participant made it
   */
  change(change: {
    caller: ParticipantCaller;
    requestId: string;
    fingerprint: Buffer;
    bundleId: string;
    isNew: boolean;
    /** Called again after a conflict. @param attempt number of the call, from 0 */
    plan(before: Bundle | undefined, attempt: number): Promise<PlannedChange>;
  }): Promise<Uint8Array>;
}

/** The stores that a change of a bundle reads and writes. */
export interface ChangedBundleRecords {
  bundles: Pick<BundleStore, "find" | "change">;
  reservations: Pick<ReservationStore, "find">;
  requestIds: Pick<RequestIds, "claim" | "findResponseIn">;
}

/** Creates {@link BundleChanges} over the stores. */
export function createBundleChanges({ bundles, reservations, requestIds }: ChangedBundleRecords): BundleChanges {
  async function findOwn(bundleId: string, caller: ParticipantCaller): Promise<Bundle> {
    const bundle = await bundles.find(bundleId);
    if (bundle === undefined || !isParty(bundle, caller)) throw bundleNotFound(bundleId);
    return bundle;
  }

  return {
    findOwn,
    findMembers: (reservationIds, caller) =>
      Promise.all(
        reservationIds.map(async (reservationId) => {
          const reservation = await reservations.find(reservationId);
          const isOwn = reservation?.participantId === caller.participantId && isParty(reservation, caller);
          if (!isOwn) throw reservationNotFound(reservationId);
          return reservation;
        }),
      ),
    async membersOf({ bundleId, reservationIds }) {
      const found = await Promise.all(reservationIds.map(reservations.find));
      return found.flatMap((reservation) => (reservation?.bundleId === bundleId ? reservation : []));
    },
    async change({ caller, requestId, fingerprint, bundleId, isNew, plan }) {
      const { participantId } = caller;
      await requestIds.claim(participantId, requestId, fingerprint);
      const region: Region = parseBundleId(bundleId)?.region ?? "";
      return await retryOnConflict(
        async (attempt) => {
          const before = isNew ? await bundles.find(bundleId) : await findOwn(bundleId, caller);
          if (before !== undefined && before.participantId !== participantId) throw bundleNotFound(bundleId);
          // Read after the bundle: a duplicate that has just changed it has written the response in the same step.
          const stored = await requestIds.findResponseIn(region, participantId, requestId, fingerprint);
          if (stored !== undefined) return stored;
          const { transition, response: bytes, ...facts } = await plan(before, attempt);
          const response = { participantId, requestId, fingerprint, bytes };
          const outcome = await bundles.change({ ...transition, ...facts, bundleId, response });
          if (outcome.tag === "done") return bytes;
          return outcome.tag === "repeated" ? outcome.response : undefined;
        },
        { conflict: () => changedTooOften(bundleId) },
      );
    },
  };
}

function changedTooOften(bundleId: string): PetakError {
  return new PetakError(
    "CONFLICT",
    `bundle ${bundleId} or its reservations were changed concurrently too often; send the same request again`,
  );
}

function bundleNotFound(bundleId: string): PetakError {
  return new PetakError("BUNDLE_NOT_FOUND", `bundle ${JSON.stringify(bundleId)} does not exist, or the caller may not see it`, {
    metadata: { bundle_id: bundleId },
  });
}
