import type { Model } from "../model/model.ts";
import type { Offer } from "../sites/offer.ts";
import type { Speaker } from "../words/speak.ts";

/** What a shop says of a place, e.g. `Free` or `S$1.50`. */
export type PriceOf = (offer: Offer) => string | undefined;

/** What the screens are made of. */
export interface View {
  readonly model: Model;
  readonly say: Speaker;
  /** The time by the gateway's clock, in ms. */
  readonly nowMs: number;
  readonly hasResolver: boolean;
  readonly hasMap: boolean;
  /** Whether the form was sent although there is no choice. */
  readonly isMissing: boolean;
  readonly isDisabled: boolean;
  readonly priceOf: PriceOf | undefined;
}
