import { type GetCustodyChainResponse, type Receipt, ReservationState } from "@petak/protocol";
import type { IssuerKeyPeriod } from "../keys/issuer-key-set.ts";
import type { ChainFault } from "./chain-faults.ts";
import type { ChainLink, Complain } from "./chain-link.ts";
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

/** What verifying a chain has shown. */
export interface ChainVerdict {
  /** Empty: nothing is wrong with what is there. */
  readonly faults: readonly ChainFault[];
  /**
   * What the issuer states of the chain, with an instant: without faults it is complete as of that. Undefined where nothing is stated, or nothing that is
   * the issuer's: whether links are missing at its end cannot be told then.
   */
  readonly statement: ChainStatementClaims | undefined;
  /** The reservation's own links whose signatures are good, in the order in which they stand there. */
  readonly links: readonly ChainLink[];
}

/** What a chain is verified with. */
export interface VerifyChainOptions {
  /** The issuers' keys, past and present: nothing else is relied on. */
  readonly issuerKeys: readonly IssuerKeyPeriod[];
  /** The chain that this one continues after Redirect, where it is at hand: then the hash that ties the two is checked too. */
  readonly continued?: GetCustodyChainResponse;
}

/**
 * Verifies what GetCustodyChain answered, without the network: signatures, hashes, order, that no link is missing, that events and reservation
 * say what was signed, and that all is there that the issuer counted. Never throws, whatever the chain. What it cannot see: whether links at the end are
 * missing where there is no statement, and what came later than the statement.
 */
export async function verifyChain(chain: GetCustodyChainResponse, options: VerifyChainOptions): Promise<ChainVerdict> {
  const faults: ChainFault[] = [];
  const complain: Complain = (code, message, { link, eventId = "" } = {}) => {
    faults.push({ code, eventId, message, ...(link === undefined ? {} : { link }) });
  };
  const { reservation } = chain;
  if (reservation === undefined) {
    complain("INCOMPLETE", "there is no reservation");
    return { faults, links: [], statement: undefined };
  }
  const statement = await readChainStatement(chain, options.issuerKeys, complain);
  const present = new Set<number>();
  const own: ChainLink[] = [];
  for (const [index, receipt] of chain.receipts.entries()) {
    const link = await readLink(receipt, index, options.issuerKeys, complain);
    if (link === undefined) {
      present.add(receipt.number);
      continue;
    }
    const { claims } = link;
    if (claims.reservation_id !== reservation.reservationId) {
      const whose = `is of the reservation ${claims.reservation_id}, and this is the chain of ${reservation.reservationId}`;
      complain("OTHER_CHAIN", `${placeOf(receipt, index)} ${whose}`, { link: link.number, eventId: claims.event_id });
      continue;
    }
    checkOrder(link, own, present, complain);
    present.add(link.number);
    if (!own.some(({ number }) => number === link.number)) own.push(link);
  }
  checkHashes(own, complain, options.continued);
  const length = Math.max(reservation.chain?.length ?? 0, statement?.receipts ?? 0);
  checkEnds(chain, length, own, present, complain);
  await checkEvents(chain, { own, length, present }, complain);
  checkReservation(reservation, own, complain);
  await checkSides(own, complain);
  if (statement !== undefined) await checkStatement(chain, statement, own, complain);
  return { faults: faults.toSorted((a, b) => (a.link ?? Infinity) - (b.link ?? Infinity)), links: own, statement };
}

/** Missing links that are named at most: a file may say that there are thousands of millions. */
const mostNamed = 100;

/** Where a receipt stands, for people. */
function placeOf({ number }: Receipt, index: number): string {
  return `link ${number}, the ${ordinal(index + 1)} that stands there,`;
}

function ordinal(number: number): string {
  const ending = number % 100 > 10 && number % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th");
  return `${number}${ending}`;
}

/** A link whose signature is good, or undefined after a complaint. */
async function readLink(
  receipt: Receipt,
  index: number,
  issuerKeys: readonly IssuerKeyPeriod[],
  complain: Complain,
): Promise<ChainLink | undefined> {
  const place = placeOf(receipt, index);
  const read = readReceipt(receipt.jws);
  if (typeof read === "string") {
    complain("MALFORMED", `${place} is no receipt: ${read}`, { link: receipt.number });
    return undefined;
  }
  const { claims } = read;
  const about = { link: receipt.number, eventId: claims.event_id };
  const signed = { read, place, atMs: claims.recorded_at_ms, about };
  if (!(await isSignedByIssuer(signed, issuerKeys, complain))) return undefined;
  const hash = await hashText(receipt.jws);
  if (receipt.number !== claims.number) complain("STATED", `${place} has the number ${claims.number}`, { ...about, link: claims.number });
  if (receipt.hash !== hash) complain("STATED", `${place} has the hash ${hash}, and beside it stands ${receipt.hash}`, about);
  return { number: claims.number, jws: receipt.jws, hash, claims };
}

function checkOrder({ number, claims }: ChainLink, before: readonly ChainLink[], present: ReadonlySet<number>, complain: Complain): void {
  const about = { link: number, eventId: claims.event_id };
  const highest = Math.max(0, ...before.map((link) => link.number));
  if (present.has(number)) complain("ORDER", `link ${number} stands there twice`, about);
  else if (number < highest) complain("ORDER", `link ${number} stands after link ${highest}`, about);
}

function checkHashes(own: readonly ChainLink[], complain: Complain, continued: GetCustodyChainResponse | undefined): void {
  const byNumber = new Map(own.map((link) => [link.number, link]));
  for (const { number, claims } of own) {
    const about = { link: number, eventId: claims.event_id };
    const before = byNumber.get(number - 1);
    if (before !== undefined && claims.previous !== before.hash) {
      complain(
        "PREVIOUS",
        `link ${number} follows a link with the hash ${claims.previous}, and link ${before.number} has ${before.hash}`,
        about,
      );
    }
    const isBound =
      number === 1 ? (claims.previous === "") === (claims.continues === "") : claims.previous !== "" && claims.continues === "";
    if (!isBound) complain("PREVIOUS", `link ${number} does not say which link it follows`, about);
    if (number === 1 && continued !== undefined) checkContinued(claims, continued, complain);
  }
}

/** The first link names the last one of the chain before that was made before it. That chain may have gone on: its reservation had not ended then. */
function checkContinued(claims: ReceiptClaims, { reservation, receipts }: GetCustodyChainResponse, complain: Complain): void {
  const isOf = claims.continues === reservation?.reservationId && receipts.some(({ hash }) => hash === claims.previous);
  if (isOf) return;
  const wanted = claims.continues === "" ? "no other chain" : `${claims.continues} after the link ${claims.previous}`;
  complain("PREVIOUS", `link 1 continues ${wanted}, which is not in the chain of ${reservation?.reservationId ?? "nobody"}`, {
    link: 1,
    eventId: claims.event_id,
  });
}

/** @param expected how many links there must be: as many as the reservation or the statement says, whichever says more. */
function checkEnds(
  { reservation, events }: GetCustodyChainResponse,
  expected: number,
  own: readonly ChainLink[],
  present: ReadonlySet<number>,
  complain: Complain,
): void {
  const length = reservation?.chain?.length ?? 0;
  const highest = Math.max(0, ...present);
  for (let number = 1; number <= Math.min(Math.max(expected, highest), present.size + mostNamed); number += 1) {
    if (present.has(number)) continue;
    const event = events.find(({ receipt }) => receipt?.number === number);
    const of = event === undefined ? "" : `; its event is ${event.eventId}`;
    const where = number === 1 ? "at the beginning" : number >= highest ? "at the end" : `between ${number - 1} and ${number + 1}`;
    complain("MISSING", `link ${number} is missing, ${where} of the chain${of}`, { link: number, eventId: event?.eventId ?? "" });
  }
  if (highest > length)
    complain("HEAD", `the reservation says that its chain has ${length} links, and there is a link ${highest}`, { link: highest });
  const last = own.find(({ number }) => number === length);
  if (last !== undefined && last.hash !== reservation?.chain?.lastHash) {
    const said = reservation?.chain?.lastHash ?? "";
    complain("HEAD", `the reservation says that its chain ends with the hash ${said}, and link ${length} has ${last.hash}`, {
      link: length,
    });
  }
  checkState(reservation?.state ?? ReservationState.UNSPECIFIED, own, complain);
}

/** The hand-over that must be the last where a reservation has come to a state. `""`: there may be none. */
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

function checkState(state: ReservationState, own: readonly ChainLink[], complain: Complain): void {
  const allowed = lastActs[state];
  const last = own
    .filter(({ claims }) => claims.act !== "COUNTERSIGNED")
    .toSorted((a, b) => a.number - b.number)
    .at(-1);
  if (allowed === undefined || allowed.includes(last?.claims.act ?? "")) return;
  const said = last === undefined ? "there is no link" : `the last link that is good is ${last.number}, ${last.claims.act}`;
  complain("INCOMPLETE", `the reservation is ${nameOf(ReservationState, state)}, and ${said}`, { link: last?.number });
}
