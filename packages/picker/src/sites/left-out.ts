import type { Point } from "../map/picker-map.ts";
import type { Offer } from "./offer.ts";

/** Why sites are not offered: the end of a name in `PassedOverReason`, e.g. `FULL`. */
export type Reason = string;

/** A site near the shopper that is not offered. */
export interface LeftOutSite extends Point, Pick<Offer, "siteId" | "name" | "distanceM" | "operatorId" | "operatorName"> {
  readonly reason: Reason;
}

/** The sites nearby that are not offered. */
export interface NotOffered {
  readonly counts: readonly { readonly reason: Reason; readonly sites: number }[];
  /** The nearest of them. */
  readonly sites: readonly LeftOutSite[];
}

/** Nothing nearby is left out, or it is not known yet. */
export const noneLeftOut: NotOffered = { counts: [], sites: [] };
