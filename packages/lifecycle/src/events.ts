import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  CancellationReason,
  type CountedShift,
  type DoubtReason,
  type Event,
  EventSchema,
  EventType,
  newEventId,
  PartySchema,
  ProofSchema,
  parseReservationId,
  parseSiteId,
  type Refusals,
  type Reservation,
  type ReservationState,
  type Site,
  type SiteChange,
  type SiteCondition,
} from "@petak/protocol";
import type { HandOverChecks } from "./hand-over-checks.ts";

/** Version of the event layout. */
export const eventSchemaVersion = 1;

/** Facts of an event in addition to its reservation. */
export interface EventFacts {
  type: EventType;
  /** The reservation after the event. */
  reservation: Reservation;
  /** The reservation's id, if `reservation` does not have it yet. */
  reservationId?: string;
  /** Default: the state of `reservation`, since most events change no state. */
  stateBefore?: ReservationState;
  actor: MessageInitShape<typeof PartySchema>;
  /** When it happened, in ms, by the clock at the place. */
  occurredAtMs: number;
  /** When it is recorded, in ms. Default: when it happened. */
  recordedAtMs?: number;
  proof?: MessageInitShape<typeof ProofSchema>;
  /** The refusals for which it stands, if there are several. */
  refusals?: Refusals | undefined;
  cancellationReason?: CancellationReason | undefined;
  /** The reservation that replaces this one, or that this one replaces. */
  relatedReservationId?: string;
  /** The bundle, if the event concerns one or its credential. */
  bundleId?: string;
  /** Why it is a doubt, and the type of the report that is not believed. */
  doubt?: { reason: DoubtReason; reported: EventType } | undefined;
  /** The checks of a reported collection. */
  checks?: HandOverChecks | undefined;
  /** The change of its site, if that is the cause. */
  siteChange?: SiteChange;
  /** Whether it contains the fee due after it. Default false. */
  statesFee?: boolean;
}

/** An event about a reservation. */
export function reservationEvent(facts: EventFacts): Event {
  const { reservation } = facts;
  const { reservationId = reservation.reservationId, stateBefore = reservation.state, recordedAtMs = facts.occurredAtMs } = facts;
  const event = create(EventSchema);
  event.eventId = newEventId(parseReservationId(reservationId)?.region ?? "");
  event.schemaVersion = eventSchemaVersion;
  event.type = facts.type;
  event.reservationId = reservationId;
  event.siteId = reservation.siteId;
  event.operatorId = reservation.operatorId;
  event.participantId = reservation.participantId;
  event.actor = create(PartySchema, facts.actor);
  event.occurredAt = timestampFromMs(facts.occurredAtMs);
  event.recordedAt = recordedAtMs === facts.occurredAtMs ? event.occurredAt : timestampFromMs(recordedAtMs);
  event.stateBefore = stateBefore;
  event.stateAfter = reservation.state;
  if (facts.proof !== undefined) event.proof = create(ProofSchema, facts.proof);
  event.partnerReference = reservation.partnerReference;
  event.isTest = reservation.isTest;
  event.reservationRevision = reservation.revision;
  event.cancellationReason = facts.cancellationReason ?? CancellationReason.UNSPECIFIED;
  event.relatedReservationId = facts.relatedReservationId ?? "";
  event.bundleId = facts.bundleId ?? "";
  if (facts.doubt !== undefined && facts.type === EventType.RESERVATION_IN_DOUBT) {
    event.doubtReason = facts.doubt.reason;
    event.reportedType = facts.doubt.reported;
  }
  addChecks(event, facts.checks);
  if (facts.siteChange !== undefined) event.siteChange = facts.siteChange;
  if (facts.type === EventType.RESERVATION_REJECTED) event.overflowFallback = reservation.overflowFallback;
  if (facts.refusals !== undefined) event.refusals = facts.refusals;
  if (facts.statesFee === true && reservation.feeDue !== undefined) event.feeDue = reservation.feeDue;
  return event;
}

/** Facts of an event about a site. */
export interface SiteEventFacts
  extends Pick<EventFacts, "type" | "actor" | "occurredAtMs" | "recordedAtMs" | "proof" | "refusals" | "checks"> {
  site: Site;
  /** What the site takes in from now on, and why. */
  intake?: Pick<Event, "intake" | "intakeReason"> | undefined;
  /** What was wrong with its device. */
  siteCondition?: SiteCondition | undefined;
  /** What a clerk counted at the end of a shift. */
  countedShift?: CountedShift | undefined;
}

/** An event about a site and no reservation. Only the site's operator sees it. */
export function siteEvent(facts: SiteEventFacts): Event {
  const {
    type,
    site,
    actor,
    occurredAtMs,
    recordedAtMs = occurredAtMs,
    proof,
    refusals,
    siteCondition,
    countedShift,
    intake,
    checks,
  } = facts;
  const fields: MessageInitShape<typeof EventSchema> = {
    eventId: newEventId(parseSiteId(site.siteId)?.region ?? ""),
    schemaVersion: eventSchemaVersion,
    type,
    siteId: site.siteId,
    operatorId: site.operatorId,
    actor: create(PartySchema, actor),
    occurredAt: timestampFromMs(occurredAtMs),
    recordedAt: timestampFromMs(recordedAtMs),
    isTest: site.isTest,
    ...(refusals && { refusals }),
    ...(intake?.intake && { intake: intake.intake }),
    ...(intake && { intakeReason: intake.intakeReason }),
    ...(siteCondition && { siteCondition }),
    ...(countedShift && { countedShift }),
  };
  const event = create(EventSchema, proof === undefined ? fields : { ...fields, proof: create(ProofSchema, proof) });
  addChecks(event, checks);
  return event;
}

function addChecks(event: Event, checks: HandOverChecks | undefined): void {
  if (checks === undefined) return;
  event.checksDone = checks.done;
  if (checks.cash !== undefined) event.cashCollected = checks.cash;
  if (event.type === EventType.PARCEL_COLLECTED) event.missingChecks = checks.missing;
}
