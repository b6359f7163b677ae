import { durationMs, type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { Act, EventType, type Party, type Reservation, ReservationState } from "@petak/protocol";
import { deadlines, limitInForce, refusePassed } from "./deadlines.ts";
import type { FullTerms } from "./terms.ts";
import { type PinEntry, record, type Transition } from "./transition.ts";
import { illegalState } from "./transitions.ts";

const S = ReservationState;

/** The state to which an act leads, and the states in which a credential for it is issued. SERVICE is about no reservation. */
const actRules: ReadonlyMap<Act, { leadsTo: ReservationState; states: readonly ReservationState[] }> = new Map([
  [Act.DEPOSIT, { leadsTo: S.DEPOSITED, states: [S.CONFIRMED] }],
  [Act.COLLECT, { leadsTo: S.COLLECTED, states: [S.CONFIRMED, S.DEPOSITED] }],
  [Act.RECALL, { leadsTo: S.RECALLED, states: [S.DEPOSITED] }],
]);

/** How long a credential to take a parcel back opens, in ms: a day, since another courier may come tomorrow, who gets another. */
const recallLifetimeMs = 24 * 3_600_000;

/** Refuses an act that a reservation does not allow, or not any more, with ILLEGAL_STATE. */
export function refuseAct(before: Reservation, act: Act, atMs: number): void {
  const rule = actRules.get(act);
  if (rule === undefined) throw new TypeError(`act ${act} is about no reservation`);
  const { leadsTo, states } = rule;
  if (!states.includes(before.state)) throw illegalState(before, leadsTo);
  refusePassed(before, endOfSecondMs(atMs), leadsTo);
  // An overdue parcel can be taken back.
  if (act !== Act.RECALL && hasPassed(limitInForce(before), atMs)) {
    throw illegalState(before, leadsTo, `: ${deadlines.get(before.state)?.name} has passed`);
  }
}

/** Whether a credential to collect can be issued for a reservation. */
export function isCollectable(reservation: Reservation, atMs: number): boolean {
  return actRules.get(Act.COLLECT)?.states.includes(reservation.state) === true && !hasPassed(limitInForce(reservation), atMs);
}

/** Until when a credential opens that is issued at a time, in ms. The act must be allowed, see {@link refuseAct}. */
export function opensUntilMs(reservation: Reservation, { freeStorage }: FullTerms, act: Act, atMs: number): number {
  if (act === Act.RECALL) return atMs + recallLifetimeMs;
  const limit = limitInForce(reservation);
  if (limit === undefined) throw new Error("a confirmed reservation without its limits");
  // One for COLLECT that is issued before the deposit opens for the free storage after the last moment of a deposit.
  const isEarly = act === Act.COLLECT && reservation.state === S.CONFIRMED;
  return timestampMs(limit) + (isEarly ? durationMs(freeStorage) : 0);
}

/** Records that a credential was issued for a reservation. @param pin what opens for it beside the token; undefined: unchanged */
export function credentialIssued(
  before: Reservation,
  { actor, pin }: { actor: Party; pin?: PinEntry | undefined },
  atMs: number,
): Transition {
  const transition = record(before, { type: EventType.CREDENTIAL_ISSUED, actor }, atMs);
  return pin === undefined ? transition : { ...transition, pin };
}

/** The last moment of a second, in ms: a credential counts whole seconds, so that it would open for none of the last one. */
export function endOfSecondMs(atMs: number): number {
  return atMs - (atMs % 1000) + 999;
}

function hasPassed(limit: Timestamp | undefined, atMs: number): boolean {
  return limit !== undefined && timestampMs(limit) <= endOfSecondMs(atMs);
}
