import { type BundleTransition, isParty } from "@petak/lifecycle";
import { type Bundle, PetakError, parseBundleId, type Region, type Reservation } from "@petak/protocol";
import { type Allocator, type BundleChange, reservationNotFound } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";

/** A change of a bundle by a request, and its answer. */
interface PlannedChange extends Pick<BundleChange, "siteId" | "nowMs"> {
  transition: BundleTransition;
  answer: Uint8Array;
}

/** Reads and changes bundles for those who may. */
export interface BundleChanges {
  /** A bundle to which the caller is a party. To anybody else it does not exist: BUNDLE_NOT_FOUND. */
  findOwn(bundleId: string, caller: ParticipantCaller): Promise<Bundle>;
  /** Reservations that the caller made, in the order of the ids. Throws RESERVATION_NOT_FOUND where one is none of its own. */
  findMembers(reservationIds: readonly string[], caller: ParticipantCaller): Promise<Reservation[]>;
  /** The reservations of a bundle that it has still, in its order. */
  membersOf(bundle: Bundle): Promise<Reservation[]>;
  /**
   * Makes a change once, whatever comes in between, and gives its answer; a repetition gets the answer of the first.
   *
   * @param isNew whether the bundle may not be there yet. One that must be gives BUNDLE_NOT_FOUND, also where somebody else made it.
   */
  change(change: {
    caller: ParticipantCaller;
    requestId: string;
    fingerprint: Buffer;
    bundleId: string;
    isNew: boolean;
    /** It may be asked for again, where what it read has changed. */
    plan(before: Bundle | undefined, attempt: number): Promise<PlannedChange>;
  }): Promise<Uint8Array>;
}

/** How often a change starts anew when what it read has changed before it could write. */
const maxAttempts = 5;

/** Changes bundles in the allocator's records. */
export function createBundleChanges({ bundles, reservations, requestIds }: Allocator): BundleChanges {
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
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const before = isNew ? await bundles.find(bundleId) : await findOwn(bundleId, caller);
        if (before !== undefined && before.participantId !== participantId) throw bundleNotFound(bundleId);
        // Read after the bundle: whoever has just changed it for the same request wrote the answer in the same instant.
        const known = await requestIds.recall(region, participantId, requestId, fingerprint);
        if (known !== undefined) return known;
        const { transition, answer: bytes, ...facts } = await plan(before, attempt);
        const outcome = await bundles.change({
          ...transition,
          ...facts,
          bundleId,
          answer: { participantId, requestId, fingerprint, bytes },
        });
        if (outcome.tag === "done") return bytes;
        if (outcome.tag === "repeated") return outcome.answer;
      }
      throw new PetakError(
        "CONFLICT",
        `bundle ${bundleId} or its reservations were changed concurrently too often; send the same request again`,
      );
    },
  };
}

function bundleNotFound(bundleId: string): PetakError {
  return new PetakError("BUNDLE_NOT_FOUND", `bundle ${JSON.stringify(bundleId)} does not exist, or the caller may not see it`, {
    metadata: { bundle_id: bundleId },
  });
}
