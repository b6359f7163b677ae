import { create } from "@bufbuild/protobuf";
import { durationMs, type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  Act,
  type DeviceEvent,
  DeviceEventType,
  type Event,
  EventType,
  PartyKind,
  type Proof,
  ProofSchema,
  parseBundleId,
  parseSiteId,
  type Reservation,
  ReservationState,
  type Site,
} from "@petak/protocol";
import type { Transition } from "@petak/records";
import { changed } from "../domain/move-on.ts";
import { findMove } from "../domain/moves.ts";
import { type EventFacts, reservationEvent } from "../domain/reservation-event.ts";
import { siteEvent } from "../domain/site-event.ts";
import type { FullTerms } from "../domain/terms.ts";
import { whatEndsWith } from "../domain/what-ends.ts";
import type { AgentCaller } from "../identity/index.ts";

const eventTypes: Readonly<Record<number, EventType>> = {
  [DeviceEventType.DOOR_OPENED]: EventType.DOOR_OPENED,
  [DeviceEventType.DOOR_CLOSED]: EventType.DOOR_CLOSED,
  [DeviceEventType.DOOR_REFUSED]: EventType.DOOR_REFUSED,
  [DeviceEventType.PARCEL_DEPOSITED]: EventType.PARCEL_DEPOSITED,
  [DeviceEventType.PARCEL_COLLECTED]: EventType.PARCEL_COLLECTED,
  [DeviceEventType.DOUBT]: EventType.RESERVATION_IN_DOUBT,
  [DeviceEventType.PARCEL_RECALLED]: EventType.PARCEL_RECALLED,
};

/** What happens to doors when somebody works at the site: none of it is about a parcel's way. */
const serviceEventTypes: typeof eventTypes = {
  [DeviceEventType.DOOR_OPENED]: EventType.SERVICE_DOOR_OPENED,
  [DeviceEventType.DOOR_CLOSED]: EventType.SERVICE_DOOR_CLOSED,
};

/** What a report is about. */
export interface ReportInput {
  event: DeviceEvent;
  reservation: Reservation;
  /** The reservation's terms. */
  terms: FullTerms;
  caller: AgentCaller;
  nowMs: number;
  /** Where a delegate came: the hash of the credential that the delegate's was made of. Empty: the holder's own, or nobody knows. */
  parentCredentialHash: string;
}

/** How a report moves its reservation on. Facts are never refused: what contradicts the record puts the reservation in doubt. */
export function reportTransition({
  event,
  reservation,
  terms,
  caller,
  nowMs,
  parentCredentialHash,
}: ReportInput): Omit<Transition, "before" | "cell" | "classIndex"> {
  const occurredAtMs = occurredMs(event, nowMs);
  const to = stateAfter(event.type, reservation, occurredAtMs);
  const move = to === undefined ? undefined : findMove(reservation.state, to);
  const facts = {
    stateBefore: reservation.state,
    actor: { kind: PartyKind.AGENT, participantId: caller.participantId },
    occurredAtMs,
    recordedAtMs: nowMs,
    proof: proofOf(event, caller, parentCredentialHash),
    bundleId: bundleOf(event, reservation.siteId),
  };
  if (beginsDeposit(event, reservation)) return depositUnderWay(reservation, nowMs, facts);
  if (to === undefined || move === undefined) {
    return {
      heldChange: 0,
      occupiedChange: 0,
      events: [reservationEvent({ ...facts, type: eventTypeOf(event), reservation })],
    };
  }
  const after: Reservation = {
    ...reservation,
    state: to,
    revision: reservation.revision + 1,
    updatedAt: timestampFromMs(nowMs),
    compartmentId: event.compartmentId === "" ? reservation.compartmentId : event.compartmentId,
  };
  let deadlineMs: number | null = null;
  if (to === ReservationState.DEPOSITED) {
    after.depositedAt = timestampFromMs(occurredAtMs);
    // Somebody came after all: nothing is due for a no-show.
    delete after.feeDue;
    deadlineMs = nowMs + durationMs(terms.freeStorage);
    after.collectUntil = timestampFromMs(deadlineMs);
  }
  if (to === ReservationState.COLLECTED) after.collectedAt = timestampFromMs(occurredAtMs);
  if (to === ReservationState.RECALLED) after.recalledAt = timestampFromMs(occurredAtMs);
  return {
    after,
    heldChange: move.heldChange,
    occupiedChange: move.occupiedChange,
    // By a clock that is ahead a parcel would have moved later than anybody can have looked.
    movedAtMs: Math.min(occurredAtMs, nowMs),
    deadlineMs,
    isAllowed: true,
    // Another token to deposit may be about, and the agent of the site may be a new one that did not see the parcel go: it is told that nothing opens for it.
    ...(to === ReservationState.COLLECTED || to === ReservationState.RECALLED ? whatEndsWith(reservation, nowMs) : {}),
    events: [reservationEvent({ ...facts, type: move.event, reservation: after })],
  };
}

function eventTypeOf({ type, act }: DeviceEvent): EventType {
  return (act === Act.SERVICE ? serviceEventTypes[type] : undefined) ?? eventTypes[type] ?? EventType.UNSPECIFIED;
}

/** An event for a report that is about no reservation of its site: only the site's operator sees it. */
export function deviceEvent(event: DeviceEvent, caller: AgentCaller, site: Site, nowMs: number): Event {
  return siteEvent({
    type: eventTypeOf(event),
    site,
    actor: { kind: PartyKind.AGENT, participantId: caller.participantId },
    occurredAtMs: occurredMs(event, nowMs),
    recordedAtMs: nowMs,
    proof: proofOf(event, caller),
  });
}

/** How long whoever has opened a door for a deposit has to close it before the clock may say that nobody came, in ms. */
const depositUnderWayMs = 10 * 60_000;

function beginsDeposit({ type, act }: DeviceEvent, { state }: Reservation): boolean {
  return type === DeviceEventType.DOOR_OPENED && act === Act.DEPOSIT && state === ReservationState.CONFIRMED;
}

/** While a deposit is under way its place must not be given to anybody else: the limit moves, where it is near. */
function depositUnderWay(
  reservation: Reservation,
  nowMs: number,
  facts: Omit<EventFacts, "type" | "reservation">,
): Omit<Transition, "before" | "cell" | "classIndex"> {
  const limitMs = reservation.depositUntil === undefined ? 0 : timestampMs(reservation.depositUntil);
  const leastMs = nowMs + depositUnderWayMs;
  const isNear = limitMs < leastMs;
  const after = isNear ? changed(reservation, nowMs, { depositUntil: timestampFromMs(leastMs) }) : undefined;
  return {
    ...(after === undefined ? {} : { after, deadlineMs: leastMs }),
    heldChange: 0,
    occupiedChange: 0,
    events: [reservationEvent({ ...facts, type: EventType.DOOR_OPENED, reservation: after ?? reservation })],
  };
}

function stateAfter(
  type: DeviceEventType,
  { state, depositUntil, sizeClassId }: Reservation,
  occurredAtMs: number,
): ReservationState | undefined {
  // One that waits, or waited in vain, never had a place nor a credential: what is reported of it is recorded, and about no parcel of it.
  if (sizeClassId === "") return undefined;
  switch (type) {
    case DeviceEventType.PARCEL_DEPOSITED:
      if (state === ReservationState.CONFIRMED) return ReservationState.DEPOSITED;
      // A site without the network reports late what happened in time.
      if (state === ReservationState.NO_SHOW && depositUntil !== undefined && occurredAtMs < timestampMs(depositUntil))
        return ReservationState.DEPOSITED;
      return unexpected.includes(state) ? ReservationState.IN_DOUBT : undefined;
    case DeviceEventType.PARCEL_COLLECTED:
    case DeviceEventType.PARCEL_RECALLED:
      if (state !== ReservationState.DEPOSITED && state !== ReservationState.IN_DOUBT) return ReservationState.IN_DOUBT;
      return type === DeviceEventType.PARCEL_RECALLED ? ReservationState.RECALLED : ReservationState.COLLECTED;
    case DeviceEventType.DOUBT:
      return ReservationState.IN_DOUBT;
    default:
      return undefined;
  }
}

/** States that a deposit contradicts: nobody was expected to come yet, or any more. */
const unexpected: readonly ReservationState[] = [
  ReservationState.HELD,
  ReservationState.EXPIRED,
  ReservationState.CANCELLED,
  ReservationState.NO_SHOW,
];

/** The bundle whose credential a device reports. A device's word that names none of its region is passed over. */
function bundleOf({ bundleId }: DeviceEvent, siteId: string): string {
  return parseBundleId(bundleId)?.region === parseSiteId(siteId)?.region ? bundleId : "";
}

function proofOf(event: DeviceEvent, caller: AgentCaller, parentCredentialHash = ""): Proof {
  return create(ProofSchema, {
    kind: event.proofKind,
    credentialHash: event.credentialHash,
    offline: event.offline,
    agentKeyId: caller.keyId,
    deviceSequence: event.sequence,
    compartmentId: event.compartmentId,
    refusal: event.refusal,
    parentCredentialHash,
  });
}

function occurredMs({ occurredAt }: { occurredAt?: Timestamp | undefined }, nowMs: number): number {
  return occurredAt === undefined ? nowMs : timestampMs(occurredAt);
}
