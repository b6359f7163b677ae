import { type Event, EventType, type GetCustodyChainResponse, ReservationState } from "@petak/protocol";
import { encodeBase64url } from "../bytes/base64url.ts";
import type { ChainLink, Complain } from "./chain-link.ts";
import { type ChainStatementClaims, hashOfHashes } from "./chain-statement.ts";
import { hashesOf } from "./event-text.ts";
import { nameOf } from "./names.ts";

/** Checks that a chain is what the statement says of it: the same end, the same state, and the same events in the same order. */
export async function checkStatement(
  chain: GetCustodyChainResponse,
  statement: ChainStatementClaims,
  own: readonly ChainLink[],
  complain: Complain,
): Promise<void> {
  checkEnd(chain, statement, own, complain);
  checkState(chain, statement, complain);
  await checkSignedEvents(chain, statement, complain);
}

function checkEnd(
  { reservation }: GetCustodyChainResponse,
  { receipts, last_receipt }: ChainStatementClaims,
  own: readonly ChainLink[],
  complain: Complain,
): void {
  const { length = 0, lastHash = "" } = reservation?.chain ?? {};
  if (length !== receipts || lastHash !== last_receipt) {
    const said = `${length} links and ends with the hash "${lastHash}"`;
    complain("HEAD", `the reservation says that its chain has ${said}, and signed were ${receipts} and "${last_receipt}"`, {
      link: receipts === 0 ? undefined : receipts,
    });
  }
  for (const { number, hash } of own) {
    if (number > receipts) complain("HEAD", `there is a link ${number}, and the statement counts ${receipts}`, { link: number });
    else if (number === receipts && hash !== last_receipt) {
      complain("HEAD", `the statement says that the chain ends with the hash ${last_receipt}, and link ${number} has ${hash}`, {
        link: number,
      });
    }
  }
}

function checkState({ reservation }: GetCustodyChainResponse, { state, revision }: ChainStatementClaims, complain: Complain): void {
  const said = nameOf(ReservationState, reservation?.state ?? ReservationState.UNSPECIFIED);
  if (said === state && reservation?.revision === revision) return;
  complain(
    "STATE_DIFFERS",
    `the reservation is ${said} in revision ${reservation?.revision ?? 0}, and signed was ${state} in revision ${revision}`,
  );
}

/** What stands for an event where hashes are compared. */
type Hash = string;

async function checkSignedEvents(
  { events, statement }: GetCustodyChainResponse,
  { events: count, first_event, events_hash }: ChainStatementClaims,
  complain: Complain,
): Promise<void> {
  const present = await hashesOf(events);
  const presentHash = await hashOfHashes(present);
  const listed = statement?.eventHashes ?? new Uint8Array();
  const isListTrue = (await hashOfHashes(listed)) === events_hash;
  if (!isListTrue) complain("EVENT_HASHES", "the hashes of the events are not those that were signed");
  if (presentHash !== events_hash && !isListTrue) {
    complain("EVENT_DIFFERS", "the events are not those that were signed; which of them cannot be told without their hashes");
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
    if (was !== undefined) complain("EVENT_DIFFERS", `${nameOfSigned(was)} says something else now, in ${inWords(event)}`, { eventId });
    else if (place === undefined) {
      const isAgain = events.findIndex((other) => other.eventId === eventId) < index;
      complain("EVENT_ADDED", `${inWords(event)}, ${isAgain ? "stands there again" : "is not among those that were signed"}`, { eventId });
    } else if (place < highest) {
      const before = inWords(events[places.indexOf(highest)] as Event);
      complain("EVENT_ORDER", `${nameOfSigned(place)}, ${inWords(event)}, stands after ${before}, which came later`, { eventId });
    }
    highest = Math.max(highest, place ?? highest);
  }
  for (const index of missing) {
    const after = events[places.indexOf(index - 1)];
    complain(
      "EVENT_MISSING",
      `${nameOfSigned(index)} is missing${after === undefined || index === 0 ? "" : `; it stood behind ${inWords(after)}`}`,
    );
  }
}

/**
 * Which events are where, by their hashes: the place at which each was signed, those that stand in the place of one whose hash is not there, by
 * its place, and the places of which nothing is left.
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
  // Beside a neighbour that is known, from the front and then from the back: what was changed still stands where it stood.
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
