/** What callers use of something that all gateways of a store share out to them. */
export interface SharedUse {
  /** What each caller has at this gateway, by name. */
  here(): Iterable<readonly [caller: string, count: number]>;
  /** Takes what callers have at other gateways, of all callers. */
  setElsewhere(use: ReadonlyMap<string, number>): void;
  /** What a caller has at all gateways, as far as the others have told. */
  usedBy(caller: string): number;
}
