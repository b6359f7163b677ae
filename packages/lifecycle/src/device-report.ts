import { create } from "@bufbuild/protobuf";
import { durationMs, type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  Act,
  type DeviceEvent,
  DeviceEventType,
  type Event,
  EventType,
  type Proof,
  ProofSchema,
  parseBundleId,
  parseSiteId,
  type Reservation,
  ReservationState,
  type Site,
} from "@petak/protocol";
import { closeAccess } from "./end.ts";
import { siteEvent } from "./events.ts";
import { agentParty } from "./parties.ts";
import type { FullTerms } from "./terms.ts";
import { amend, type ChangeFacts, record, type Transition, transitionTo } from "./transition.ts";
import { findTransition } from "./transitions.ts";

const S = ReservationState;

const eventTypes: Readonly<Record<number, EventType>> = {
  [DeviceEventType.DOOR_OPENED]: EventType.DOOR_OPENED,
  [DeviceEventType.DOOR_CLOSED]: EventType.DOOR_CLOSED,
  [DeviceEventType.DOOR_REFUSED]: EventType.DOOR_REFUSED,
  [DeviceEventType.PARCEL_DEPOSITED]: EventType.PARCEL_DEPOSITED,
  [DeviceEventType.PARCEL_COLLECTED]: EventType.PARCEL_COLLECTED,
  [DeviceEventType.DOUBT]: EventType.RESERVATION_IN_DOUBT,
  [DeviceEventType.PARCEL_RECALLED]: EventType.PARCEL_RECALLED,
};

/** Events of doors that are opened for SERVICE; they are not part of a parcel's custody. */
const serviceEventTypes: typeof eventTypes = {
  [DeviceEventType.DOOR_OPENED]: EventType.SERVICE_DOOR_OPENED,
  [DeviceEventType.DOOR_CLOSED]: EventType.SERVICE_DOOR_CLOSED,
};

/** The authenticated agent of a report. */
export interface ReportingAgent {
  /** The site's operator. */
  readonly participantId: string;
  readonly keyId: string;
}

export interface ReportFacts {
  event: DeviceEvent;
  /** The terms of the reservation. */
  terms: FullTerms;
  agent: ReportingAgent;
  /** Hash of the credential from which the used one was delegated. Empty: not delegated, or unknown. */
  parentCredentialHash: string;
}

/**
 * Applies a report to a reservation. Reports are never refused, since they state what has happened; a report that contradicts the record puts the reservation in
 * doubt.
 *
 * @param atMs when the report is recorded, in ms
 */
export function applyReport(before: Reservation, { event, terms, agent, parentCredentialHash }: ReportFacts, atMs: number): Transition {
  const occurredAtMs = occurredMs(event, atMs);
  const facts = {
    actor: agentParty(agent),
    occurredAtMs,
    proof: proofOf(event, agent, parentCredentialHash),
    bundleId: bundleOf(event, before.siteId),
  };
  if (beginsDeposit(event, before)) return depositUnderWay(before, facts, atMs);
  const state = stateAfter(event.type, before, occurredAtMs);
  // After the parcel has left there is no doubt any more, and a doubt is not recorded twice.
  if (state === undefined || findTransition(before.state, state) === undefined)
    return record(before, { ...facts, type: eventTypeOf(event) }, atMs);
  const change = {
    state,
    compartmentId: event.compartmentId === "" ? before.compartmentId : event.compartmentId,
    ...changeWith(state, { terms, occurredAtMs }, atMs),
  };
  const hasLeft = state === S.COLLECTED || state === S.RECALLED;
  return {
    ...transitionTo(before, change, facts, atMs),
    // Not in the future, even if the site's clock is ahead.
    movedAtMs: Math.min(occurredAtMs, atMs),
    isAllowed: true,
    ...(hasLeft ? closeAccess(before, atMs) : {}),
  };
}

/** The times and the fee that change together with the state. */
function changeWith(
  state: ReservationState,
  { terms, occurredAtMs }: { terms: FullTerms; occurredAtMs: number },
  atMs: number,
): Partial<Reservation> {
  const occurredAt = timestampFromMs(occurredAtMs);
  if (state === S.COLLECTED) return { collectedAt: occurredAt };
  if (state === S.RECALLED) return { recalledAt: occurredAt };
  if (state !== S.DEPOSITED) return {};
  // The parcel came after all: no fee for a no-show.
  return { depositedAt: occurredAt, feeDue: undefined, collectUntil: timestampFromMs(atMs + durationMs(terms.freeStorage)) };
}

/** The event of a report that concerns no reservation at its site. Only the site's operator sees it. */
export function deviceEvent(event: DeviceEvent, agent: ReportingAgent, site: Site, atMs: number): Event {
  return siteEvent({
    type: eventTypeOf(event),
    site,
    actor: agentParty(agent),
    occurredAtMs: occurredMs(event, atMs),
    recordedAtMs: atMs,
    proof: proofOf(event, agent),
  });
}

function eventTypeOf({ type, act }: DeviceEvent): EventType {
  return (act === Act.SERVICE ? serviceEventTypes[type] : undefined) ?? eventTypes[type] ?? EventType.UNSPECIFIED;
}

/** Least time from the opening of the door to `deposit_until`, in ms. */
const depositUnderWayMs = 10 * 60_000;

function beginsDeposit({ type, act }: DeviceEvent, { state }: Reservation): boolean {
  return type === DeviceEventType.DOOR_OPENED && act === Act.DEPOSIT && state === ReservationState.CONFIRMED;
}

/** Extends a near deadline, so that the place is not given to somebody else during the deposit. */
function depositUnderWay(before: Reservation, facts: ChangeFacts, atMs: number): Transition {
  const limitMs = before.depositUntil === undefined ? 0 : timestampMs(before.depositUntil);
  const leastMs = atMs + depositUnderWayMs;
  const opened = { ...facts, type: EventType.DOOR_OPENED };
  if (limitMs >= leastMs) return record(before, opened, atMs);
  return { ...amend(before, { depositUntil: timestampFromMs(leastMs) }, opened, atMs), deadlineMs: leastMs };
}

function stateAfter(
  type: DeviceEventType,
  { state, depositUntil, sizeClassId }: Reservation,
  occurredAtMs: number,
): ReservationState | undefined {
  // A reservation that never got a place has no credential; a report that names it is recorded and changes nothing.
  if (sizeClassId === "") return undefined;
  switch (type) {
    case DeviceEventType.PARCEL_DEPOSITED:
      if (state === S.CONFIRMED) return S.DEPOSITED;
      // A site that was offline reports a timely deposit late.
      if (state === S.NO_SHOW && depositUntil !== undefined && occurredAtMs < timestampMs(depositUntil)) return S.DEPOSITED;
      return unexpected.includes(state) ? S.IN_DOUBT : undefined;
    case DeviceEventType.PARCEL_COLLECTED:
    case DeviceEventType.PARCEL_RECALLED:
      if (state !== S.DEPOSITED && state !== S.IN_DOUBT) return S.IN_DOUBT;
      return type === DeviceEventType.PARCEL_RECALLED ? S.RECALLED : S.COLLECTED;
    case DeviceEventType.DOUBT:
      return S.IN_DOUBT;
    default:
      return undefined;
  }
}

/** States that a deposit contradicts. */
const unexpected: readonly ReservationState[] = [S.HELD, S.EXPIRED, S.CANCELLED, S.NO_SHOW];

/** The bundle of a reported credential; empty: none. A bundle of another region is ignored. */
function bundleOf({ bundleId }: DeviceEvent, siteId: string): string {
  return parseBundleId(bundleId)?.region === parseSiteId(siteId)?.region ? bundleId : "";
}

function proofOf(event: DeviceEvent, agent: ReportingAgent, parentCredentialHash = ""): Proof {
  return create(ProofSchema, {
    kind: event.proofKind,
    credentialHash: event.credentialHash,
    offline: event.offline,
    agentKeyId: agent.keyId,
    deviceSequence: event.sequence,
    compartmentId: event.compartmentId,
    refusal: event.refusal,
    parentCredentialHash,
  });
}

function occurredMs({ occurredAt }: { occurredAt?: Timestamp | undefined }, nowMs: number): number {
  return occurredAt === undefined ? nowMs : timestampMs(occurredAt);
}
