import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { invalidField, type Money, MoneySchema, type Reservation, ReservationState, type Terms, TermsSchema } from "@petak/protocol";

/** What a gateway has by default, in ms. */
export interface DefaultLimits {
  /** How long a collector has after the deposit. */
  collectWithinMs: number;
  /** How long a parcel may lie at most after the deposit, however often it is extended. */
  storageMaxMs: number;
}

/** Terms that say for everything how long. */
export type FullTerms = Terms & Required<Pick<Terms, "freeStorage" | "longestStorage" | "noShowAfter">>;

/** How long a depositor is waited for where nobody says: as long as Confirm can ask for, in ms. */
const noShowAfterMs = 7 * 86_400_000;

/** The terms that hold where neither site nor operator says. */
export function gatewayTerms({ collectWithinMs, storageMaxMs }: DefaultLimits): FullTerms {
  return full({
    freeStorage: durationFromMs(Math.min(collectWithinMs, storageMaxMs)),
    longestStorage: durationFromMs(storageMaxMs),
    noShowAfter: durationFromMs(noShowAfterMs),
  });
}

/** What comes of terms where those after them say what they do not. */
export function termsInForce(fallback: FullTerms, ...given: readonly (Terms | undefined)[]): FullTerms {
  const firstOf = <Name extends keyof Terms>(name: Name) => given.find((terms) => terms?.[name] !== undefined)?.[name] ?? fallback[name];
  const longestStorage = firstOf("longestStorage") ?? fallback.longestStorage;
  const freeStorage = firstOf("freeStorage") ?? fallback.freeStorage;
  const extensionPricePerDay = costOf(firstOf("extensionPricePerDay"));
  const lateChangeFee = costOf(firstOf("lateChangeFee"));
  const noShowFee = costOf(firstOf("noShowFee"));
  const freeChange = firstOf("freeChangeBeforeDeposit");
  return full({
    // What one says of the free storage may be more than another says of the longest.
    freeStorage: durationMs(freeStorage) > durationMs(longestStorage) ? longestStorage : freeStorage,
    longestStorage,
    noShowAfter: firstOf("noShowAfter") ?? fallback.noShowAfter,
    ...(extensionPricePerDay && { extensionPricePerDay }),
    ...(freeChange !== undefined && durationMs(freeChange) > 0 && { freeChangeBeforeDeposit: freeChange }),
    ...(lateChangeFee && { lateChangeFee }),
    ...(noShowFee && { noShowFee }),
  });
}

/** Refuses terms that contradict themselves. */
export function checkTerms({ freeStorage, longestStorage }: Terms, path: string): void {
  if (freeStorage === undefined || longestStorage === undefined) return;
  const [freeMs, longestMs] = [durationMs(freeStorage), durationMs(longestStorage)];
  if (freeMs <= longestMs) return;
  throw invalidField(
    `${path}.free_storage`,
    `${freeMs / 1000} s must not be more than longest_storage, ${longestMs / 1000} s`,
    "terms.free_within_longest",
  );
}

/** Terms as they are kept: without the number that the caller may have sent, and without anything, however deep in it, that the protocol does not know. */
export function asGiven(terms: Terms): Terms {
  return fromBinary(TermsSchema, toBinary(TermsSchema, { ...terms, termsNumber: 0 }, { writeUnknownFields: false }));
}

/** Until when a confirmed reservation may be given up free. Undefined where it may be at any time. */
export function freeChangeUntil({ lateChangeFee, freeChangeBeforeDeposit }: Terms, confirmedAtMs: number, depositUntilMs: number) {
  if (lateChangeFee === undefined || freeChangeBeforeDeposit === undefined) return undefined;
  // Whoever confirms late has at least been free to change their mind until then.
  return timestampFromMs(Math.max(confirmedAtMs, depositUntilMs - durationMs(freeChangeBeforeDeposit)));
}

/** What it costs who gives up a reservation now. The site's operator, where it did not make the reservation, pays nothing. */
export function lateChangeFee(
  before: Reservation,
  { lateChangeFee: fee }: Terms,
  { participantId }: { participantId: string },
  atMs: number,
): Pick<Reservation, "feeDue"> {
  const { state, freeChangeUntil: until } = before;
  const isLate = state === ReservationState.CONFIRMED && until !== undefined && timestampMs(until) < atMs;
  return isLate && fee !== undefined && participantId === before.participantId ? { feeDue: fee } : {};
}

/** What is due once the time for the collection is moved, in ms. What the operator gives by itself costs nothing. */
export function extensionFee(
  before: Reservation,
  { extensionPricePerDay: price, freeStorage }: FullTerms,
  { participantId }: { participantId: string },
  untilMs: number,
): Pick<Reservation, "feeDue"> {
  const { depositedAt, collectUntil, feeDue } = before;
  if (price === undefined || depositedAt === undefined || collectUntil === undefined || participantId !== before.participantId) return {};
  const freeUntilMs = timestampMs(depositedAt) + durationMs(freeStorage);
  // A late report dates the deposit back: what was free stays so.
  const paidUntilMs = Math.max(freeUntilMs, timestampMs(collectUntil));
  const days = daysAfter(freeUntilMs, untilMs) - daysAfter(freeUntilMs, paidUntilMs);
  return days > 0 ? { feeDue: sum(times(price, days), feeDue) } : {};
}

/** The days begun between two times. */
function daysAfter(fromMs: number, toMs: number): number {
  return Math.max(0, Math.ceil((toMs - fromMs) / 86_400_000));
}

const nanosPerUnit = 1_000_000_000n;

function times({ currencyCode, units, nanos }: Money, count: number): Money {
  return money(currencyCode, (units * nanosPerUnit + BigInt(nanos)) * BigInt(count));
}

/** A reservation's terms are of one currency for one thing, so that what adds up is of one. */
function sum(amount: Money, before: Money | undefined): Money {
  if (before === undefined) return amount;
  const nanosOf = ({ units, nanos }: Money) => units * nanosPerUnit + BigInt(nanos);
  return money(amount.currencyCode, nanosOf(amount) + nanosOf(before));
}

function money(currencyCode: string, nanos: bigint): Money {
  return create(MoneySchema, { currencyCode, units: nanos / nanosPerUnit, nanos: Number(nanos % nanosPerUnit) });
}

/** A cost of nothing is none. */
function costOf(amount: Money | undefined): Money | undefined {
  return amount === undefined || (amount.units === 0n && amount.nanos === 0) ? undefined : amount;
}

function full(terms: Parameters<typeof create<typeof TermsSchema>>[1]): FullTerms {
  return create(TermsSchema, terms) as FullTerms;
}
