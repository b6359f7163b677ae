/** Why a row is refused, for machines, and what that means, for people. */
export const refusalReasons = {
  "ragged-row": "another number of cells than the header",
  "no-name": "no name",
  "no-position": "no latitude or longitude",
  "unreadable-position": "a latitude or longitude that is no angle",
  "out-of-range": "a latitude or longitude that does not exist",
  swapped: "latitude and longitude swapped",
  "null-island": "the position 0, 0",
  "not-a-point": "a geometry that is no point",
  "not-a-site": "a place where no parcels are handed over",
  "no-country": "no country",
  "unknown-country": "a country that is none",
  "invalid-hours": "opening hours that cannot be read",
  "duplicate-reference": "a reference that stood in the file before",
  "invalid-field": "a field that breaks its rule",
  gateway: "refused by the gateway",
} as const;

/** A key of {@link refusalReasons}. */
export type RefusalReason = keyof typeof refusalReasons;

/** A row that cannot be imported. */
export interface Refusal {
  readonly kind: "refusal";
  /** The row's number in the file, from 1, the header not counted. */
  readonly row: number;
  /** The line on which it begins, from 1. Many rows may stand on one line where the file is JSON. */
  readonly line: number;
  readonly reason: RefusalReason;
  /** What is wrong, with the value. */
  readonly message: string;
  /** As far as they are known, to find the row again. */
  readonly reference: string;
  readonly name: string;
}
