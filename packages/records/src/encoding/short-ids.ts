import { encodeBase32 } from "@petak/protocol";
import type { SiteIds } from "@petak/redis";

/** Converts between the id of terms and their number, which stored messages have in its place. */
export interface TermsNumbers {
  /** The number of the terms with an id: synchronously if it is in memory. 0 for "" and for an id that the store does not know. */
  numberOf(termsId: string): number | Promise<number>;
  /** The id of the terms with a number: synchronously if it is in memory. "" for a number that the store does not know. */
  idOf(termsNumber: number): string | Promise<string>;
}

/** The ids that stored messages contain in a shorter form. */
export interface ShortIds {
  readonly siteIds: SiteIds;
  readonly terms: TermsNumbers;
}

/** Terms on which a hold is taken: their id, and their number in the store. */
export interface HoldTerms {
  readonly termsId: string;
  readonly termsNumber: number;
}

/** The terms of a reservation that is made on none. */
export const noTerms: HoldTerms = { termsId: "", termsNumber: 0 };

/** The number of terms as a stored reservation contains it. 0 takes no bytes. */
export function termsNumberText(termsNumber: number): string {
  return termsNumber === 0 ? "" : encodeBase32(termsNumber);
}
