import type { Offer } from "../sites/offer.ts";

/** Where a shopper collects: the value of the picker. */
export interface PickerChoice {
  readonly siteId: string;
  readonly name: string;
  readonly kind: "terminal" | "store";
  readonly operatorId: string;
  readonly operatorName: string;
  readonly street: string;
  readonly latitude: number;
  readonly longitude: number;
  /** The choice as the gateway signed it, for `Reserve` or for the shop's server to verify. Unset by a gateway that signs none. */
  readonly signedChoice?: string;
  /** Until when the signature is good, RFC 3339. The picker has it renewed before. */
  readonly signedUntil?: string;
  /** What the shop's server gave to its hold. Unset: nothing is held. */
  readonly holdId?: string;
  /** Until when a place is held, RFC 3339. */
  readonly heldUntil?: string;
}

/** What a shop's server answers to a hold. `gone`: no place is left there. */
export type HoldAnswer = { readonly holdId: string; readonly heldUntil: string } | { readonly gone: true };

/** Asks the shop's own server to hold a place: a publishable key only reads. A call for a choice that replaces another may release that one's hold. */
export type Hold = (wanted: PickerChoice, replaced: PickerChoice | undefined, signal: AbortSignal) => Promise<HoldAnswer>;

/** The choice of an offer, without a hold. */
export function choiceOf({ siteId, name, kind, operatorId, operatorName, street, latitude, longitude }: Offer): PickerChoice {
  return { siteId, name, kind, operatorId, operatorName, street, latitude, longitude };
}

/** Reads a choice that was written as JSON. Undefined if it is none. */
export function readChoice(text: string | null | undefined): PickerChoice | undefined {
  try {
    const value = JSON.parse(text ?? "") as Partial<PickerChoice> | null;
    const isChoice = typeof value?.siteId === "string" && value.siteId !== "" && typeof value.name === "string";
    return isChoice ? (value as PickerChoice) : undefined;
  } catch {
    return undefined;
  }
}

/** Holds by a URL of the shop's server. */
export function holdByUrl(url: string): Hold {
  return async (wanted, replaced, signal) => {
    const body = JSON.stringify({ siteId: wanted.siteId, ...(replaced?.holdId !== undefined && { replacesHoldId: replaced.holdId }) });
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body, signal });
    if (response.status === 409 || response.status === 410) return { gone: true };
    if (!response.ok) throw new Error(`${url} answered with HTTP ${response.status}`);
    return (await response.json()) as HoldAnswer;
  };
}
