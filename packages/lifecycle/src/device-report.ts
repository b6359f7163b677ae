import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationMs, type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  Act,
  type ConditionKind,
  type DeviceEvent,
  DeviceEventType,
  DoubtReason,
  type Event,
  EventType,
  HandoverSchema,
  type Proof,
  ProofKind,
  ProofSchema,
  parseBundleId,
  parseSiteId,
  type Refusals,
  RefusalsSchema,
  type Reservation,
  ReservationState,
  type Site,
  type SiteCondition,
  SiteConditionSchema,
} from "@petak/protocol";
import { closeAccess } from "./end.ts";
import { siteEvent } from "./events.ts";
import { handOverChecks } from "./hand-over-checks.ts";
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
  [DeviceEventType.SERVICE_CHANGED]: EventType.SITE_SERVICE_CHANGED,
  [DeviceEventType.CONDITION]: EventType.SITE_CONDITION,
  [DeviceEventType.SHIFT_COUNTED]: EventType.SHIFT_COUNTED,
};

/** Events of doors that are opened for SERVICE; they are not part of a parcel's custody. */
const serviceEventTypes: typeof eventTypes = {
  [DeviceEventType.DOOR_OPENED]: EventType.SERVICE_DOOR_OPENED,
  [DeviceEventType.DOOR_CLOSED]: EventType.SERVICE_DOOR_CLOSED,
};

/** The act of the credential for which an agent may report that a parcel has moved. */
const custodyActs: ReadonlyMap<DeviceEventType, Act> = new Map([
  [DeviceEventType.PARCEL_DEPOSITED, Act.DEPOSIT],
  [DeviceEventType.PARCEL_COLLECTED, Act.COLLECT],
  [DeviceEventType.PARCEL_RECALLED, Act.RECALL],
]);

/** The act for which the credential of a report must have been issued, else it is not believed. Undefined: it is believed whatever it names. */
export function actToProve({ type, act }: DeviceEvent): Act | undefined {
  return type === DeviceEventType.DOOR_OPENED && act === Act.DEPOSIT ? act : custodyActs.get(type);
}

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
  /** Why its credential does not prove {@link actToProve}. Undefined: it does. */
  unproven: DoubtReason | undefined;
  /** The courier's registered key that certified the driver of a hand-over list. Undefined: no such list proves it. */
  courierPublicKey?: Uint8Array | undefined;
  /** Hash of the credential from which the used one was delegated. Empty: not delegated, or unknown. */
  parentCredentialHash: string;
}

/**
 * Applies a report to a reservation. Reports are never refused, since they state what has happened; a report that contradicts the record, or that a parcel
 * has moved by a credential that does not prove it, puts the reservation in doubt.
 *
 * @param atMs when the report is recorded, in ms
 */
export function applyReport(
  before: Reservation,
  { event, terms, agent, unproven, courierPublicKey, parentCredentialHash }: ReportFacts,
  atMs: number,
): Transition {
  const occurredAtMs = occurredMs(event, atMs);
  const disbelief = custodyActs.has(event.type) ? unproven : undefined;
  const facts = {
    actor: agentParty(agent),
    occurredAtMs,
    proof: {
      ...proofOf(event, agent, parentCredentialHash),
      ...(courierPublicKey && { courierPublicKey: new Uint8Array(courierPublicKey) }),
    },
    bundleId: bundleOf(event, before.siteId),
    refusals: refusalsOf(event),
    doubt: doubtOf(event, disbelief),
    checks: handOverChecks(event, before),
  };
  if (unproven === undefined && beginsDeposit(event, before)) return depositUnderWay(before, facts, atMs);
  const state = stateAfter(disbelief === undefined ? event.type : DeviceEventType.DOUBT, before, occurredAtMs);
  // After the parcel has left there is no doubt any more, and a doubt is not recorded twice.
  if (state === undefined || findTransition(before.state, state) === undefined)
    return record(before, { ...facts, type: disbelief === undefined ? eventTypeOf(event) : EventType.RESERVATION_IN_DOUBT }, atMs);
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
    refusals: refusalsOf(event),
    ...(event.type === DeviceEventType.SERVICE_CHANGED && { intake: event }),
    checks: handOverChecks(event),
    siteCondition: event.type === DeviceEventType.CONDITION ? event.condition : undefined,
    countedShift: event.type === DeviceEventType.SHIFT_COUNTED ? event.countedShift : undefined,
  });
}

/**
 * The event that tells of refusals which the gateway has counted, for one reason: it names no report and no credential.
 *
 * @param refusal the reason; empty: any of those that were not counted by themselves
 * @param agent who reported after the last of them
 */
export function countedRefusals(
  refusal: string,
  refusals: MessageInitShape<typeof RefusalsSchema>,
  agent: ReportingAgent,
  site: Site,
  atMs: number,
): Event {
  return siteEvent({
    type: EventType.DOOR_REFUSED,
    site,
    actor: agentParty(agent),
    occurredAtMs: Math.min(atMs, occurredMs({ occurredAt: refusals.lastAt as Timestamp | undefined }, atMs)),
    recordedAtMs: atMs,
    proof: create(ProofSchema, { agentKeyId: agent.keyId, refusal }),
    refusals: create(RefusalsSchema, refusals),
  });
}

/**
 * The event that tells of conditions which the gateway has counted, of one kind: it names no report.
 *
 * @param kind UNSPECIFIED: any of those that were not counted by themselves
 * @param agent who reported after the last of them
 */
export function countedConditions(
  kind: ConditionKind,
  counted: Pick<SiteCondition, "count"> & { since: Timestamp; until: Timestamp },
  agent: ReportingAgent,
  site: Site,
  atMs: number,
): Event {
  return siteEvent({
    type: EventType.SITE_CONDITION,
    site,
    actor: agentParty(agent),
    occurredAtMs: Math.min(atMs, occurredMs({ occurredAt: counted.until }, atMs)),
    recordedAtMs: atMs,
    proof: create(ProofSchema, { agentKeyId: agent.keyId }),
    siteCondition: create(SiteConditionSchema, { kind, ...counted }),
  });
}

/**
 * The event of a hand-over list that an agent reports: for the operator, and for the courier if both sides signed the list.
 *
 * @param handover with a `fault`: only the operator sees it
 */
export function handoverEvent(
  event: DeviceEvent,
  handover: MessageInitShape<typeof HandoverSchema>,
  agent: ReportingAgent,
  site: Site,
  atMs: number,
): Event {
  const isProven = (handover.fault ?? "") === "";
  const told = deviceEvent(event, agent, site, atMs);
  told.type = isProven ? EventType.HANDOVER_SIGNED : EventType.HANDOVER_NOT_PROVEN;
  told.handover = create(HandoverSchema, handover);
  if (isProven) told.participantId = told.handover.courierId;
  return told;
}

/** Why a report is a doubt, if it is one. */
function doubtOf({ type }: DeviceEvent, disbelief: DoubtReason | undefined): { reason: DoubtReason; reported: EventType } {
  if (type === DeviceEventType.DOUBT) return { reason: DoubtReason.REPORTED, reported: EventType.UNSPECIFIED };
  return { reason: disbelief ?? DoubtReason.CONTRADICTION, reported: eventTypes[type] ?? EventType.UNSPECIFIED };
}

function refusalsOf({ type, refusals }: DeviceEvent): Refusals | undefined {
  return type === DeviceEventType.DOOR_REFUSED ? refusals : undefined;
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
    presence: event.presence,
    clerkId: event.clerkId,
    handover: event.proofKind === ProofKind.HANDOVER_LIST ? event.handover : "",
  });
}

function occurredMs({ occurredAt }: { occurredAt?: Timestamp | undefined }, nowMs: number): number {
  return occurredAt === undefined ? nowMs : timestampMs(occurredAt);
}
