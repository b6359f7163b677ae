import type { Reservation } from "@petak/protocol";
import { holdsExhausted, type PlaceCall, type PlaceHold, type Places, type WantedPlace } from "@petak/records";
import type { HoldAllowance } from "./hold-allowance.ts";
import type { HoldTotals } from "./hold-totals.ts";

export interface HoldPlaceDependencies {
  places: Places;
  holdTotals: HoldTotals;
}

/**
 * Takes a place within the allowance of the participant. A repeated request gets its reservation, even if the allowance is used up now.
 *
 * @throws {PetakError} HOLDS_EXHAUSTED, and the errors of {@link Places.take}.
 */
export async function holdPlace(
  { places, holdTotals }: HoldPlaceDependencies,
  allowance: Readonly<HoldAllowance>,
  wanted: WantedPlace,
  hold: PlaceHold,
  call: PlaceCall,
): Promise<Reservation> {
  const { allMost } = allowance;
  const end = holdTotals.begin(hold.reservation, allMost);
  if (end === undefined) {
    const before = await places.find(wanted, hold);
    if (before !== undefined) return before;
    throw holdsExhausted(wanted, { scope: "all", limit: allMost, used: allMost, firstExpiryMs: 0 }, hold.reservation);
  }
  let isHeld = false;
  try {
    const taken = await places.take(wanted, { ...hold, limits: allowance }, call);
    isHeld = true;
    return taken;
  } finally {
    end(isHeld);
  }
}
