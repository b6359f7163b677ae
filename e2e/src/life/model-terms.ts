/** Terms of a place in the model. Times in ms, amounts in cents; an amount of 0 means none. */
export interface ModelTerms {
  freeStorageMs: number;
  longestStorageMs: number;
  pricePerDay: number;
  /** 0: cancelling before the deposit is always free. */
  freeChangeMs: number;
  lateFee: number;
  noShowAfterMs: number;
  noShowFee: number;
}

/** Terms set by a site or its operator. */
export type GivenTerms = Partial<ModelTerms>;

const dayMs = 86_400_000;

/** The terms of a site. Fields that it leaves out are the operator's, or else the gateway's. */
export function termsInForce(gateway: ModelTerms, operator: GivenTerms, site: GivenTerms): ModelTerms {
  const terms = { ...gateway, ...operator, ...site };
  return { ...terms, freeStorageMs: Math.min(terms.freeStorageMs, terms.longestStorageMs) };
}

/** Until when a reservation that is confirmed now can be cancelled free of charge; undefined if at any time. */
export function freeChangeUntil({ lateFee, freeChangeMs }: ModelTerms, nowMs: number, depositUntilMs: number): number | undefined {
  return lateFee > 0 && freeChangeMs > 0 ? Math.max(nowMs, depositUntilMs - freeChangeMs) : undefined;
}

/** The fee, in cents, for extending the storage of a parcel from one limit to another. */
export function storageFee({ freeStorageMs, pricePerDay }: ModelTerms, depositedMs: number, alreadyMs: number, untilMs: number): number {
  const freeUntilMs = depositedMs + freeStorageMs;
  const daysBegun = (toMs: number) => Math.max(0, Math.ceil((toMs - freeUntilMs) / dayMs));
  return pricePerDay * Math.max(0, daysBegun(untilMs) - daysBegun(alreadyMs));
}
