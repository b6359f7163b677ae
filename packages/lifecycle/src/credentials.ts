import { durationMs, type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { Act, EventType, type Party, type Reservation, ReservationState } from "@petak/protocol";
import { deadlines, limitInForce, refusePassed } from "./deadlines.ts";
import { credentialProof, isRevocable } from "./delegations.ts";
import type { FullTerms } from "./terms.ts";
import { type PinEntry, record, type Transition } from "./transition.ts";
import { illegalState } from "./transitions.ts";

const S = ReservationState;

/** The state to which an act leads, and the states in which a credential for it can be issued. SERVICE concerns no reservation. */
const actRules: ReadonlyMap<Act, { leadsTo: ReservationState; states: readonly ReservationState[] }> = new Map([
  [Act.DEPOSIT, { leadsTo: S.DEPOSITED, states: [S.CONFIRMED] }],
  [Act.COLLECT, { leadsTo: S.COLLECTED, states: [S.CONFIRMED, S.DEPOSITED] }],
  [Act.RECALL, { leadsTo: S.RECALLED, states: [S.DEPOSITED] }],
]);

/** Validity of a credential for RECALL, in ms: a day, since another courier who comes tomorrow gets another one. */
const recallLifetimeMs = 24 * 3_600_000;

/** What to do in states that come before any credential. */
const toDoFirst: ReadonlyMap<ReservationState, string> = new Map([
  [S.QUEUED, ": it has no place yet; confirm it when it is promoted, then issue the credential"],
  [S.HELD, ": confirm it first, then issue the credential"],
]);

/** Throws ILLEGAL_STATE if a reservation does not allow an act, or no longer allows it. */
export function refuseAct(before: Reservation, act: Act, atMs: number): void {
  const rule = actRules.get(act);
  if (rule === undefined) throw new TypeError(`act ${act} concerns no reservation`);
  const { leadsTo, states } = rule;
  if (!states.includes(before.state)) throw illegalState(before, leadsTo, toDoFirst.get(before.state));
  refusePassed(before, endOfSecondMs(atMs), leadsTo);
  // RECALL is for overdue parcels.
  if (act !== Act.RECALL && hasPassed(limitInForce(before), atMs)) {
    throw illegalState(before, leadsTo, `: ${deadlines.get(before.state)?.name} has passed`);
  }
}

/** Whether a credential to collect can be issued for a reservation. */
export function isCollectable(reservation: Reservation, atMs: number): boolean {
  return actRules.get(Act.COLLECT)?.states.includes(reservation.state) === true && !hasPassed(limitInForce(reservation), atMs);
}

/** End of the validity of a credential issued at a time, in ms. The act must be allowed, see {@link refuseAct}. */
export function opensUntilMs(reservation: Reservation, { freeStorage }: FullTerms, act: Act, atMs: number): number {
  if (act === Act.RECALL) return atMs + recallLifetimeMs;
  const limit = limitInForce(reservation);
  if (limit === undefined) throw new Error("a confirmed reservation lacks its deadline");
  // Before the deposit it covers the free storage after the latest possible deposit.
  const isEarly = act === Act.COLLECT && reservation.state === S.CONFIRMED;
  return timestampMs(limit) + (isEarly ? durationMs(freeStorage) : 0);
}

/** Records that a credential was issued for a reservation. @param pin the new PIN; undefined: unchanged */
export function credentialIssued(
  before: Reservation,
  { actor, pin }: { actor: Party; pin?: PinEntry | undefined },
  atMs: number,
): Transition {
  const transition = record(before, { type: EventType.CREDENTIAL_ISSUED, actor }, atMs);
  return pin === undefined ? transition : { ...transition, pin };
}

/**
 * Records that the PIN of a reservation, or of its bundle, has ended with the key of its site's PINs. Undefined: the reservation has ended.
 *
 * @param bundleId "" if it was the reservation's own
 */
export function pinEnded(
  before: Reservation,
  { actor, bundleId }: { actor: Party; bundleId: string },
  atMs: number,
): Transition | undefined {
  if (!isRevocable(before)) return undefined;
  const about = { actor, proof: credentialProof({ credentialHash: "" }), ...(bundleId !== "" && { bundleId }) };
  return record(before, { type: EventType.PIN_ENDED, ...about }, atMs);
}

/** The last ms of a second. Credentials count whole seconds, so one that ends within the current second would be valid for none. */
export function endOfSecondMs(atMs: number): number {
  return atMs - (atMs % 1000) + 999;
}

function hasPassed(limit: Timestamp | undefined, atMs: number): boolean {
  return limit !== undefined && timestampMs(limit) <= endOfSecondMs(atMs);
}
