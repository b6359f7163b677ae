import { type Event, EventType, type GetCustodyChainResponse, ReservationState } from "@petak/protocol";
import { encodeBase64url } from "../bytes/base64url.ts";
import type { ChainLink, ReportFault } from "./chain-link.ts";
import { type ChainStatementClaims, hashOfHashes } from "./chain-statement.ts";
import { hashesOf } from "./event-text.ts";
import { nameOf } from "./names.ts";

/** Checks a chain against its statement: same last link, same state, same events in the same order. */
export async function checkStatement(
  chain: GetCustodyChainResponse,
  statement: ChainStatementClaims,
  own: readonly ChainLink[],
  report: ReportFault,
): Promise<void> {
  checkEnd(chain, statement, own, report);
  checkState(chain, statement, report);
  await checkSignedEvents(chain, statement, report);
}

function checkEnd(
  { reservation }: GetCustodyChainResponse,
  { receipts, last_receipt }: ChainStatementClaims,
  own: readonly ChainLink[],
  report: ReportFault,
): void {
  const { length = 0, lastHash = "" } = reservation?.chain ?? {};
  if (length !== receipts || lastHash !== last_receipt) {
    const said = `${length} links and the last hash "${lastHash}"`;
    report("HEAD", `the reservation says that its chain has ${said}, but the statement has ${receipts} and "${last_receipt}"`, {
      link: receipts === 0 ? undefined : receipts,
    });
  }
  for (const { number, hash } of own) {
    if (number > receipts) report("HEAD", `there is a link ${number}, but the statement counts ${receipts}`, { link: number });
    else if (number === receipts && hash !== last_receipt) {
      report("HEAD", `the last hash in the statement is ${last_receipt}, but link ${number} has ${hash}`, {
        link: number,
      });
    }
  }
}

function checkState({ reservation }: GetCustodyChainResponse, { state, revision }: ChainStatementClaims, report: ReportFault): void {
  const said = nameOf(ReservationState, reservation?.state ?? ReservationState.UNSPECIFIED);
  if (said === state && reservation?.revision === revision) return;
  report(
    "STATE_DIFFERS",
    `the reservation is ${said} in revision ${reservation?.revision ?? 0}, but ${state} in revision ${revision} was signed`,
  );
}

/** Hash of an event in base64url. */
type Hash = string;

async function checkSignedEvents(
  { events, statement }: GetCustodyChainResponse,
  { events: count, first_event, events_hash }: ChainStatementClaims,
  report: ReportFault,
): Promise<void> {
  const present = await hashesOf(events);
  const presentHash = await hashOfHashes(present);
  const listed = statement?.eventHashes ?? new Uint8Array();
  const isListTrue = (await hashOfHashes(listed)) === events_hash;
  if (!isListTrue) report("EVENT_HASHES", "the event hashes are not those that were signed");
  if (presentHash !== events_hash && !isListTrue) {
    report("EVENT_DIFFERS", "the events are not those that were signed; without their hashes it is unknown which of them differ");
  }
  if (presentHash === events_hash || !isListTrue) return;
  const signed = split(listed);
  const nameOfSigned = (index: number) => `event ${first_event + index} of the ${count} that were signed`;
  const { places, changed, missing } = compare(signed, split(present));
  let highest = -1;
  for (const [index, event] of events.entries()) {
    const { eventId } = event;
    const place = places[index];
    const was = changed.get(index);
    if (was !== undefined) report("EVENT_DIFFERS", `${nameOfSigned(was)} was changed: ${inWords(event)}`, { eventId });
    else if (place === undefined) {
      const isAgain = events.findIndex((other) => other.eventId === eventId) < index;
      report("EVENT_ADDED", `${inWords(event)}, ${isAgain ? "appears twice" : "is not among those that were signed"}`, { eventId });
    } else if (place < highest) {
      const before = inWords(events[places.indexOf(highest)] as Event);
      report("EVENT_ORDER", `${nameOfSigned(place)}, ${inWords(event)}, is placed after ${before}, which came later`, { eventId });
    }
    highest = Math.max(highest, place ?? highest);
  }
  for (const index of missing) {
    const after = events[places.indexOf(index - 1)];
    report(
      "EVENT_MISSING",
      `${nameOfSigned(index)} is missing${after === undefined || index === 0 ? "" : `; it followed ${inWords(after)}`}`,
    );
  }
}

/**
 * Compares two lists of event hashes. Returns, for each present event, the index at which it was signed (`places`); the present events that take the place
 * of a signed event whose hash is missing (`changed`, by signed index); and the signed indices that are left (`missing`).
 */
function compare(signed: readonly Hash[], present: readonly Hash[]) {
  const places: (number | undefined)[] = [];
  const left = new Map(signed.map((hash, index) => [hash, index]));
  for (const hash of present) {
    places.push(left.get(hash));
    left.delete(hash);
  }
  const gone = new Set(left.values());
  const changed = new Map<number, number>();
  // A changed event still has its old neighbours: match by the previous one, then, backwards, by the next one.
  for (const step of [1, -1]) {
    const indices = step === 1 ? [...present.keys()] : [...present.keys()].reverse();
    let neighbour: number | undefined = step === 1 ? -1 : signed.length;
    for (const index of indices) {
      const place = places[index] ?? changed.get(index) ?? (neighbour === undefined ? undefined : neighbour + step);
      if (places[index] === undefined && !changed.has(index) && place !== undefined && gone.delete(place)) changed.set(index, place);
      neighbour = places[index] ?? changed.get(index);
    }
  }
  return { places, changed, missing: [...gone].sort((a, b) => a - b) };
}

function split(hashes: Uint8Array): Hash[] {
  return Array.from({ length: Math.floor(hashes.length / 32) }, (_, index) =>
    encodeBase64url(hashes.subarray(32 * index, 32 * index + 32)),
  );
}

function inWords({ eventId, type }: Event): string {
  return `the event ${eventId}, ${nameOf(EventType, type)}`;
}
