/** Limits of something that callers share, e.g. of concurrent calls. */
export interface ShareLimits {
  /** All callers together. */
  total: number;
  /** What a caller may have whatever others do, as long as any is free at all. */
  guaranteed: number;
  /** What one caller may have, here and at other gateways of the store. */
  max: number;
}

/** What a caller has of it. */
export interface Taken {
  /** Here. */
  own: number;
  /** At other gateways of the store. */
  elsewhere: number;
  /** All callers together, here. */
  all: number;
}

/**
 * Returns whether a caller may take one more.
 *
 * A caller may have as many as are left free. So one alone gets half, two get a third each, and however many some take, a part is free for the
 * next one, who gets it at once. Nothing is set aside for callers who do not come.
 */
export function mayTake({ own, elsewhere, all }: Taken, { total, guaranteed, max }: ShareLimits): boolean {
  const free = total - all;
  if (free <= 0) return false;
  return own < guaranteed || (own < free && own + elsewhere < max);
}
