import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { invalidField, type Money, type Terms, TermsSchema } from "@petak/protocol";

/** A gateway's limits for sites without terms, in ms. */
export interface DefaultLimits {
  /** Free storage after the deposit. */
  collectWithinMs: number;
  /** Longest storage after the deposit, including extensions. */
  storageMaxMs: number;
}

/** Terms with all durations set. */
export type FullTerms = Terms & Required<Pick<Terms, "freeStorage" | "longestStorage" | "noShowAfter">>;

/** Default time for the deposit, in ms: the longest that Confirm accepts. */
const noShowAfterMs = 7 * 86_400_000;

/** The terms of sites for which neither site nor operator has set any. */
export function gatewayTerms({ collectWithinMs, storageMaxMs }: DefaultLimits): FullTerms {
  return full({
    freeStorage: durationFromMs(Math.min(collectWithinMs, storageMaxMs)),
    longestStorage: durationFromMs(storageMaxMs),
    noShowAfter: durationFromMs(noShowAfterMs),
  });
}

/** The terms in force. Each field comes from the first of `given` that sets it, otherwise from the fallback. */
export function termsInForce(fallback: FullTerms, ...given: readonly (Terms | undefined)[]): FullTerms {
  const firstOf = <Name extends keyof Terms>(name: Name) => given.find((terms) => terms?.[name] !== undefined)?.[name] ?? fallback[name];
  const longestStorage = firstOf("longestStorage") ?? fallback.longestStorage;
  const freeStorage = firstOf("freeStorage") ?? fallback.freeStorage;
  const extensionPricePerDay = costOf(firstOf("extensionPricePerDay"));
  const lateChangeFee = costOf(firstOf("lateChangeFee"));
  const noShowFee = costOf(firstOf("noShowFee"));
  const freeChange = firstOf("freeChangeBeforeDeposit");
  return full({
    // The free storage of one set of terms may exceed the longest storage of another.
    freeStorage: durationMs(freeStorage) > durationMs(longestStorage) ? longestStorage : freeStorage,
    longestStorage,
    noShowAfter: firstOf("noShowAfter") ?? fallback.noShowAfter,
    ...(extensionPricePerDay && { extensionPricePerDay }),
    ...(freeChange !== undefined && durationMs(freeChange) > 0 && { freeChangeBeforeDeposit: freeChange }),
    ...(lateChangeFee && { lateChangeFee }),
    ...(noShowFee && { noShowFee }),
  });
}

/** The least free storage in the live network, in ms. In the test network integrations see a parcel become overdue without an hour's wait. */
const liveFreeStorageMinMs = 3_600_000;

/** Throws INVALID_FIELD if terms contradict themselves, or are too short for people. @param path of the terms in the request */
export function checkTerms({ freeStorage, longestStorage }: Terms, path: string, isTest: boolean): void {
  if (freeStorage === undefined) return;
  if (!isTest && durationMs(freeStorage) < liveFreeStorageMinMs) {
    const said = `${durationMs(freeStorage) / 1000} s must be at least ${liveFreeStorageMinMs / 1000} s in the live network`;
    throw invalidField(`${path}.free_storage`, said, "terms.live_free_storage");
  }
  if (longestStorage === undefined) return;
  const [freeMs, longestMs] = [durationMs(freeStorage), durationMs(longestStorage)];
  if (freeMs <= longestMs) return;
  throw invalidField(
    `${path}.free_storage`,
    `${freeMs / 1000} s must not be longer than longest_storage, ${longestMs / 1000} s`,
    "terms.free_within_longest",
  );
}

/** Terms as they are stored: without an id from the caller, and without unknown fields at any depth. */
export function asGiven(terms: Terms): Terms {
  return fromBinary(TermsSchema, toBinary(TermsSchema, { ...terms, termsId: "" }, { writeUnknownFields: false }));
}

/** Undefined for a cost of zero. */
function costOf(amount: Money | undefined): Money | undefined {
  return amount === undefined || (amount.units === 0n && amount.nanos === 0) ? undefined : amount;
}

function full(terms: Parameters<typeof create<typeof TermsSchema>>[1]): FullTerms {
  return create(TermsSchema, terms) as FullTerms;
}
