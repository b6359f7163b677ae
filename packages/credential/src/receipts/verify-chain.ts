import { type GetCustodyChainResponse, type Receipt, ReservationState } from "@petak/protocol";
import type { IssuerKeyPeriod } from "../keys/issuer-key-set.ts";
import type { ChainFault } from "./chain-faults.ts";
import type { ChainLink, ReportFault } from "./chain-link.ts";
import type { ChainStatementClaims } from "./chain-statement.ts";
import { checkEvents } from "./check-events.ts";
import { checkReservation } from "./check-reservation.ts";
import { checkSides } from "./check-sides.ts";
import { checkStatement } from "./check-statement.ts";
import { isSignedByIssuer } from "./find-signer.ts";
import { nameOf } from "./names.ts";
import { readChainStatement } from "./read-chain-statement.ts";
import { readReceipt } from "./read-receipt.ts";
import type { ReceiptClaims } from "./receipt-claims.ts";
import { hashText } from "./signed-text.ts";

/** Result of verifying a chain. */
export interface ChainVerdict {
  /** Empty: the chain is valid as far as it goes. */
  readonly faults: readonly ChainFault[];
  /**
   * The issuer's statement. Without faults, the chain is complete up to its `as_of_ms`. Undefined if there is none or the issuer did not sign it; then missing
   * links at the end cannot be detected.
   */
  readonly statement: ChainStatementClaims | undefined;
  /** The reservation's links with valid signatures, in the order of the response. */
  readonly links: readonly ChainLink[];
}

export interface VerifyChainOptions {
  /** The issuers' keys, past and present: the only trust anchors. */
  readonly issuerKeys: readonly IssuerKeyPeriod[];
  /** The chain that this one continues after a redirect. If given, the hash that links the two is checked too. */
  readonly continued?: GetCustodyChainResponse;
}

/**
 * Verifies a response of GetCustodyChain offline: signatures, hashes, order, completeness, and that events and reservation match what was signed. Never
 * throws. Without a statement it cannot detect missing links at the end; with one, it says nothing about what was recorded later.
 */
export async function verifyChain(chain: GetCustodyChainResponse, options: VerifyChainOptions): Promise<ChainVerdict> {
  const faults: ChainFault[] = [];
  const report: ReportFault = (code, message, { link, eventId = "" } = {}) => {
    faults.push({ code, eventId, message, ...(link === undefined ? {} : { link }) });
  };
  const { reservation } = chain;
  if (reservation === undefined) {
    report("INCOMPLETE", "there is no reservation");
    return { faults, links: [], statement: undefined };
  }
  const statement = await readChainStatement(chain, options.issuerKeys, report);
  const present = new Set<number>();
  const own: ChainLink[] = [];
  for (const [index, receipt] of chain.receipts.entries()) {
    const link = await readLink(receipt, index, options.issuerKeys, report);
    if (link === undefined) {
      present.add(receipt.number);
      continue;
    }
    const { claims } = link;
    if (claims.reservation_id !== reservation.reservationId) {
      const whose = `belongs to reservation ${claims.reservation_id}, but this is the chain of ${reservation.reservationId}`;
      report("OTHER_CHAIN", `${placeOf(receipt, index)} ${whose}`, { link: link.number, eventId: claims.event_id });
      continue;
    }
    checkOrder(link, own, present, report);
    present.add(link.number);
    if (!own.some(({ number }) => number === link.number)) own.push(link);
  }
  checkHashes(own, report, options.continued);
  const length = Math.max(reservation.chain?.length ?? 0, statement?.receipts ?? 0);
  checkEnds(chain, length, own, present, report);
  await checkEvents(chain, { own, length, present }, report);
  checkReservation(reservation, own, report);
  await checkSides(own, report);
  if (statement !== undefined) await checkStatement(chain, statement, own, report);
  return { faults: faults.toSorted((a, b) => (a.link ?? Infinity) - (b.link ?? Infinity)), links: own, statement };
}

/** Limit for the missing links that are reported: a forged file may claim billions. */
const missingReportedMax = 100;

/** Name of a receipt in messages. */
function placeOf({ number }: Receipt, index: number): string {
  return `link ${number}, the ${ordinal(index + 1)} in the chain,`;
}

function ordinal(number: number): string {
  const ending = number % 100 > 10 && number % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th");
  return `${number}${ending}`;
}

/** The link of a receipt if its signature is valid; otherwise undefined, after a fault was reported. */
async function readLink(
  receipt: Receipt,
  index: number,
  issuerKeys: readonly IssuerKeyPeriod[],
  report: ReportFault,
): Promise<ChainLink | undefined> {
  const place = placeOf(receipt, index);
  const read = readReceipt(receipt.jws);
  if (typeof read === "string") {
    report("MALFORMED", `${place} is no receipt: ${read}`, { link: receipt.number });
    return undefined;
  }
  const { claims } = read;
  const about = { link: receipt.number, eventId: claims.event_id };
  const signed = { read, place, atMs: claims.recorded_at_ms, about };
  if (!(await isSignedByIssuer(signed, issuerKeys, report))) return undefined;
  const hash = await hashText(receipt.jws);
  if (receipt.number !== claims.number) report("STATED", `${place} has the number ${claims.number}`, { ...about, link: claims.number });
  if (receipt.hash !== hash) report("STATED", `${place} has the hash ${hash}, and beside it stands ${receipt.hash}`, about);
  return { number: claims.number, jws: receipt.jws, hash, claims };
}

function checkOrder({ number, claims }: ChainLink, before: readonly ChainLink[], present: ReadonlySet<number>, report: ReportFault): void {
  const about = { link: number, eventId: claims.event_id };
  const highest = Math.max(0, ...before.map((link) => link.number));
  if (present.has(number)) report("ORDER", `link ${number} appears twice`, about);
  else if (number < highest) report("ORDER", `link ${number} is placed after link ${highest}`, about);
}

function checkHashes(own: readonly ChainLink[], report: ReportFault, continued: GetCustodyChainResponse | undefined): void {
  const byNumber = new Map(own.map((link) => [link.number, link]));
  for (const { number, claims } of own) {
    const about = { link: number, eventId: claims.event_id };
    const before = byNumber.get(number - 1);
    if (before !== undefined && claims.previous !== before.hash) {
      report("PREVIOUS", `link ${number} follows the hash ${claims.previous}, but link ${before.number} has ${before.hash}`, about);
    }
    const hasPrevious =
      number === 1 ? (claims.previous === "") === (claims.continues === "") : claims.previous !== "" && claims.continues === "";
    if (!hasPrevious) report("PREVIOUS", `link ${number} does not say which link it follows`, about);
    if (number === 1 && continued !== undefined) checkContinued(claims, continued, report);
  }
}

/** The first link names the link that was then the last of the continued chain. That chain may have grown since. */
function checkContinued(claims: ReceiptClaims, { reservation, receipts }: GetCustodyChainResponse, report: ReportFault): void {
  const isOf = claims.continues === reservation?.reservationId && receipts.some(({ hash }) => hash === claims.previous);
  if (isOf) return;
  const wanted = claims.continues === "" ? "no chain" : `${claims.continues} after the link ${claims.previous}`;
  report("PREVIOUS", `link 1 continues ${wanted}, which is not in the chain of ${reservation?.reservationId ?? "no reservation"}`, {
    link: 1,
    eventId: claims.event_id,
  });
}

/** @param expected number of links that the reservation or the statement gives, whichever is greater */
function checkEnds(
  { reservation, events }: GetCustodyChainResponse,
  expected: number,
  own: readonly ChainLink[],
  present: ReadonlySet<number>,
  report: ReportFault,
): void {
  const length = reservation?.chain?.length ?? 0;
  const highest = Math.max(0, ...present);
  for (let number = 1; number <= Math.min(Math.max(expected, highest), present.size + missingReportedMax); number += 1) {
    if (present.has(number)) continue;
    const event = events.find(({ receipt }) => receipt?.number === number);
    const of = event === undefined ? "" : `; its event is ${event.eventId}`;
    const where = number === 1 ? "at the beginning" : number >= highest ? "at the end" : `between ${number - 1} and ${number + 1}`;
    report("MISSING", `link ${number} is missing, ${where} of the chain${of}`, { link: number, eventId: event?.eventId ?? "" });
  }
  if (highest > length)
    report("HEAD", `the reservation says that its chain has ${length} links, but there is a link ${highest}`, { link: highest });
  const last = own.find(({ number }) => number === length);
  if (last !== undefined && last.hash !== reservation?.chain?.lastHash) {
    const said = reservation?.chain?.lastHash ?? "";
    report("HEAD", `the last hash in the reservation is ${said}, but link ${length} has ${last.hash}`, {
      link: length,
    });
  }
  checkState(reservation?.state ?? ReservationState.UNSPECIFIED, own, report);
}

/** The acts that can be the last one of a chain, by the reservation's state. `""`: the chain may be empty. */
const lastActs: Partial<Record<ReservationState, readonly string[]>> = {
  [ReservationState.REQUESTED]: [""],
  [ReservationState.QUEUED]: [""],
  [ReservationState.REJECTED]: [""],
  [ReservationState.HELD]: [""],
  [ReservationState.EXPIRED]: [""],
  [ReservationState.CONFIRMED]: ["RESERVED"],
  [ReservationState.CANCELLED]: ["", "RESERVED"],
  [ReservationState.NO_SHOW]: ["RESERVED", "NO_PARCEL"],
  [ReservationState.DEPOSITED]: ["DEPOSITED"],
  [ReservationState.COLLECTED]: ["COLLECTED"],
  [ReservationState.RECALLED]: ["RECALLED"],
};

function checkState(state: ReservationState, own: readonly ChainLink[], report: ReportFault): void {
  const allowed = lastActs[state];
  const last = own
    .filter(({ claims }) => claims.act !== "COUNTERSIGNED")
    .toSorted((a, b) => a.number - b.number)
    .at(-1);
  if (allowed === undefined || allowed.includes(last?.claims.act ?? "")) return;
  const said = last === undefined ? "there is no link" : `the last valid link is ${last.number}, ${last.claims.act}`;
  report("INCOMPLETE", `the reservation is ${nameOf(ReservationState, state)}, but ${said}`, { link: last?.number });
}
