/** Reasons for refusing a row, with descriptions for people. */
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
  /** The row's number in the file, from 1, without the header. */
  readonly row: number;
  /** Its first line, from 1. JSON files may have many rows on one line. */
  readonly line: number;
  readonly reason: RefusalReason;
  /** Description of the error, with the value. */
  readonly message: string;
  /** To find the row again, if known. */
  readonly reference: string;
  readonly name: string;
}
