/** Terms of a place in the model. Times in ms, amounts in cents; an amount of 0 is none. */
export interface ModelTerms {
  freeStorageMs: number;
  longestStorageMs: number;
  pricePerDay: number;
  /** 0: it costs nothing to give a reservation up at any time before the deposit. */
  freeChangeMs: number;
  lateFee: number;
  noShowAfterMs: number;
  noShowFee: number;
}

/** What a site or its operator says of terms. */
export type GivenTerms = Partial<ModelTerms>;

const dayMs = 86_400_000;

/** Where a site does not say, its operator does, and where that does not, the gateway. */
export function termsInForce(gateway: ModelTerms, operator: GivenTerms, site: GivenTerms): ModelTerms {
  const terms = { ...gateway, ...operator, ...site };
  return { ...terms, freeStorageMs: Math.min(terms.freeStorageMs, terms.longestStorageMs) };
}

/** Until when a reservation that is confirmed now may be given up free; undefined where it may be at any time. */
export function freeChangeUntil({ lateFee, freeChangeMs }: ModelTerms, nowMs: number, depositUntilMs: number): number | undefined {
  return lateFee > 0 && freeChangeMs > 0 ? Math.max(nowMs, depositUntilMs - freeChangeMs) : undefined;
}

/** What it costs to have a parcel lie until a time, of which it was to lie until another already. */
export function storageFee({ freeStorageMs, pricePerDay }: ModelTerms, depositedMs: number, alreadyMs: number, untilMs: number): number {
  const freeUntilMs = depositedMs + freeStorageMs;
  const daysBegun = (toMs: number) => Math.max(0, Math.ceil((toMs - freeUntilMs) / dayMs));
  return pricePerDay * Math.max(0, daysBegun(untilMs) - daysBegun(alreadyMs));
}
