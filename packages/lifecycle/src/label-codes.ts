import type { Reservation } from "@petak/protocol";

/** The codes on the label of a reservation's parcel: those that Confirm stated, else those of Reserve. */
export function labelCodesOf({ labelCodes, parcel }: Pick<Reservation, "labelCodes" | "parcel">): readonly string[] {
  return labelCodes.length > 0 ? labelCodes : (parcel?.labelCodes ?? []);
}
