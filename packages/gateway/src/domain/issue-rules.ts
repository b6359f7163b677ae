import { timestampMs } from "@bufbuild/protobuf/wkt";
import { isLowOrderPoint } from "@petak/credential";
import { Act, type IssueCredentialRequest, invalidField, type Reservation, ReservationState } from "@petak/protocol";
import { illegalState, refusePassed } from "./move-on.ts";

/** What an act does to its reservation, and from which states on a credential for it is issued. SERVICE is about none. */
const actRules: ReadonlyMap<Act, { leadsTo: ReservationState; states: readonly ReservationState[] }> = new Map([
  [Act.DEPOSIT, { leadsTo: ReservationState.DEPOSITED, states: [ReservationState.CONFIRMED] }],
  [Act.COLLECT, { leadsTo: ReservationState.COLLECTED, states: [ReservationState.CONFIRMED, ReservationState.DEPOSITED] }],
  [Act.RECALL, { leadsTo: ReservationState.RECALLED, states: [ReservationState.DEPOSITED] }],
]);

/** Refuses a request for a credential whose fields do not go together, with INVALID_FIELD. */
export function checkIssueRequest(request: IssueCredentialRequest): void {
  const { act, reservationId, siteId, compartmentId, withPin, holderPublicKey } = request;
  const isService = act === Act.SERVICE;
  if (isService && reservationId !== "") {
    throw invalidField("reservation_id", "must be empty for SERVICE, which is about a site", "issue_credential.subject");
  }
  if (!isService && reservationId === "") throw invalidField("reservation_id", "is required", "issue_credential.subject");
  if (isService && siteId === "") throw invalidField("site_id", "is required for SERVICE", "issue_credential.subject");
  if (!isService && siteId !== "") throw invalidField("site_id", "is for SERVICE only", "issue_credential.subject");
  if (!isService && compartmentId !== "") throw invalidField("compartment_id", "is for SERVICE only", "issue_credential.subject");
  if (withPin && act !== Act.COLLECT)
    throw invalidField("with_pin", "a PIN is issued for COLLECT only", "issue_credential.pin_for_collect");
  if (withPin && holderPublicKey !== undefined) {
    throw invalidField("with_pin", "whoever has the PIN needs no key, so there is none beside a key", "issue_credential.pin_or_key");
  }
  if (holderPublicKey === undefined) {
    if (!isService && act !== Act.RECALL) return;
    throw invalidField("holder_public_key", "is required for RECALL and SERVICE", "issue_credential.key_for_act");
  }
  if (isLowOrderPoint(holderPublicKey)) {
    throw invalidField("holder_public_key", "is a point of low order, for which signatures prove nothing", "issue_credential.order");
  }
}

/** Refuses an act that a reservation does not allow, or not any more, with ILLEGAL_STATE. */
export function refuseAct(before: Reservation, act: Act, atMs: number): void {
  const rule = actRules.get(act);
  if (rule === undefined) throw new TypeError(`act ${act} is about no reservation`);
  const { leadsTo, states } = rule;
  const { state, depositUntil, collectUntil } = before;
  if (!states.includes(state)) throw illegalState(before, leadsTo);
  const lastSecondMs = endOfSecondMs(atMs);
  if (state === ReservationState.CONFIRMED) refusePassed(before, depositUntil, lastSecondMs, ReservationState.NO_SHOW, leadsTo);
  // A parcel that is overdue is there to be taken back.
  else if (act !== Act.RECALL && collectUntil !== undefined && timestampMs(collectUntil) <= lastSecondMs)
    throw illegalState(before, leadsTo, ": collect_until has passed");
}

/** Whether a credential to collect can be issued for a reservation. */
export function isCollectable({ state, depositUntil, collectUntil }: Reservation, atMs: number): boolean {
  if (!actRules.get(Act.COLLECT)?.states.includes(state)) return false;
  const limit = state === ReservationState.CONFIRMED ? depositUntil : collectUntil;
  return limit === undefined || timestampMs(limit) > endOfSecondMs(atMs);
}

/** The last moment of a second, in ms: a credential counts in whole seconds, so in the last one there is none left to be good in. */
export function endOfSecondMs(atMs: number): number {
  return atMs - (atMs % 1000) + 999;
}
