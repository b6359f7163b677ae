import { Act } from "@petak/protocol";
import type { DoorRefusal } from "./refusals.ts";
import { type ChosenDoor, chooseCompartments } from "./reservation-rules.ts";
import type { DoorSnapshot } from "./snapshot.ts";

/** The doors that a bundle's credential may open. */
export interface BundleDoors {
  /** One door for each parcel that it opens for now, in the bundle's order. */
  readonly doors: readonly ChosenDoor[];
  /** First use only: the reservations whose parcels are here, including those whose door does not open now. */
  readonly toCollect: readonly string[];
  /** Why nothing opens. */
  readonly refusal: DoorRefusal | undefined;
}

/**
 * Chooses the doors that a bundle's credential may open. Its first use determines its parcels: those that are here then. It opens once for each of them; a later
 * parcel needs another credential.
 */
export function chooseBundleDoors(
  { bundleId, credentialId, isSpent }: { bundleId: string; credentialId: string; isSpent: boolean },
  snapshot: DoorSnapshot,
  nowMs: number,
): BundleDoors {
  const members = snapshot.bundles.find((bundle) => bundle.bundleId === bundleId)?.reservationIds ?? [];
  const left = isSpent ? new Set(snapshot.toCollect(credentialId)) : undefined;
  const doors: ChosenDoor[] = [];
  const toCollect: string[] = [];
  let refusal: DoorRefusal | undefined;
  for (const reservationId of members) {
    if (left !== undefined && !left.has(reservationId)) continue;
    const compartmentIds = chooseCompartments({ act: Act.COLLECT, reservationId, sizeClassId: undefined }, snapshot, nowMs);
    if (typeof compartmentIds === "string") refusal ??= compartmentIds;
    else doors.push(...compartmentIds.map((compartmentId) => ({ compartmentId, reservationId })));
    const liesHere = compartmentIds !== "RESERVATION_STATE" && compartmentIds !== "NOT_DEPOSITED";
    if (!isSpent && liesHere) toCollect.push(reservationId);
  }
  return { doors, toCollect, refusal: doors.length > 0 ? undefined : (refusal ?? (isSpent ? "SPENT" : "NOT_DEPOSITED")) };
}
