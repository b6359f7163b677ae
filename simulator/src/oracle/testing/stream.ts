import type {
  CallObserved,
  DoorActed,
  EventSeen,
  Observation,
  OfferSeen,
  PlaceGiven,
  SiteSampled,
  SiteSeen,
  ViolationFound,
} from "../../observe/observation.ts";
import type { OracleOptions } from "../options.ts";
import { createOracle } from "../oracle.ts";

/** 2026-11-23, a Monday, at 04:00 in Singapore. */
export const startMs = Date.parse("2026-11-22T20:00:00Z");
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

/** A site with two places of size class S and one of L, open from 08:00 to 20:00 from Monday to Friday. */
export const site: SiteSeen = {
  kind: "site",
  atMs: startMs,
  siteId: "site_1",
  ref: "one",
  name: "One",
  operatorId: "par_operator",
  isStore: false,
  hasDoor: true,
  isActive: true,
  latitude: 1.3,
  longitude: 103.8,
  timeZone: "Asia/Singapore",
  weekly: [1, 2, 3, 4, 5].map((day) => ({ openDay: day, openMinute: 8 * 60, closeDay: day, closeMinute: 20 * 60 })),
  sizeClasses: [
    { sizeClassId: "S", widthMm: 300, heightMm: 100, depthMm: 400, maxMassG: 5000, installed: 2 },
    { sizeClassId: "L", widthMm: 500, heightMm: 500, depthMm: 500, maxMassG: 20_000, installed: 1 },
  ],
};

/** The events of one courier, with their numbers. */
export class Courier {
  readonly participantId: string;
  #number = 0;

  constructor(participantId = "par_courier") {
    this.participantId = participantId;
  }

  event(
    reservationId: string,
    revision: number,
    type: string,
    stateAfter: string,
    recordedAtMs: number,
    more: Partial<EventSeen> = {},
  ): EventSeen {
    const feedNumber = ++this.#number;
    return {
      kind: "event",
      atMs: recordedAtMs,
      participantId: this.participantId,
      feedNumber,
      eventId: `evt_${this.participantId}_${feedNumber}`,
      reservationId,
      siteId: "site_1",
      revision,
      type,
      stateAfter,
      occurredAtMs: recordedAtMs,
      recordedAtMs,
      ...more,
    };
  }

  read(atMs: number): Observation {
    return { kind: "feed", atMs, participantId: this.participantId, feedNumber: this.#number };
  }

  /** Read so often that every check is made. */
  reads(atMs: number): Observation[] {
    return Array.from({ length: 3 }, () => this.read(atMs));
  }

  given(number: number, atMs: number, more: Partial<PlaceGiven> = {}): PlaceGiven {
    const { participantId } = this;
    return {
      kind: "given",
      intention: number,
      atMs,
      reservationId: `res_${number}`,
      siteId: "site_1",
      sizeClassId: "S",
      participantId,
      ...more,
    };
  }
}

export function door(number: number, act: DoorActed["act"], atMs: number, more: Partial<DoorActed> = {}): DoorActed {
  return {
    kind: "door",
    intention: number,
    atMs,
    siteId: "site_1",
    reservationId: `res_${number}`,
    act,
    by: "TOKEN",
    credentialHash: `hash-${number}-${act}`,
    compartmentId: `S-${number}`,
    opened: true,
    offline: false,
    isInside: act === "DEPOSIT",
    ...more,
  };
}

export function call(number: number, operation: CallObserved["operation"], atMs: number, more: Partial<CallObserved> = {}): CallObserved {
  const reservationId = `res_${number}`;
  return { kind: "call", intention: number, operation, atMs, dueMs: 0, sentMs: 0, doneMs: 1, outcome: "OK", reservationId, ...more };
}

export function offer(atMs: number, more: Partial<OfferSeen> = {}): OfferSeen {
  return {
    kind: "offer",
    intention: 9,
    atMs,
    siteId: "site_1",
    sizeClassId: "S",
    freeToPromise: 2,
    distanceM: 100,
    observedAtMs: atMs,
    ttlMs: minuteMs,
    parcel: { widthMm: 400, heightMm: 300, depthMm: 100, massG: 5000 },
    askedAtMs: atMs,
    ...more,
  };
}

/** The counts of the site with some places taken. */
export function counts(atMs: number, taken: { held?: number; occupied?: number } = {}, more: Partial<SiteSampled> = {}): SiteSampled {
  const { held = 0, occupied = 0 } = taken;
  const empty = { occupied: 0, held: 0, occupiedByOthers: 0 };
  return {
    kind: "counts",
    atMs,
    siteId: "site_1",
    isKnown: true,
    observedAtMs: atMs,
    publishedAtMs: atMs,
    sizeClasses: [
      { sizeClassId: "S", installed: 2, inService: 2, ...empty, held, occupied, freeToPromise: Math.max(0, 2 - held - occupied) },
      { sizeClassId: "L", installed: 1, inService: 1, ...empty, freeToPromise: 1 },
    ],
    ...more,
  };
}

/** A whole life at the site: reserved, confirmed, deposited and collected, ten minutes apart, with the events as they are read. */
export function* life(courier: Courier, number: number, fromMs = startMs): Generator<Observation, undefined, undefined> {
  const id = `res_${number}`;
  const at = (step: number) => fromMs + step * 10 * minuteMs;
  yield courier.given(number, at(0));
  yield courier.event(id, 1, "RESERVATION_HELD", "HELD", at(0));
  yield call(number, "confirm", at(1));
  yield courier.event(id, 2, "RESERVATION_CONFIRMED", "CONFIRMED", at(1));
  yield courier.event(id, 2, "CREDENTIAL_ISSUED", "CONFIRMED", at(2));
  yield door(number, "DEPOSIT", at(2));
  yield { kind: "reported", atMs: at(2), siteId: "site_1" };
  yield courier.event(id, 3, "PARCEL_DEPOSITED", "DEPOSITED", at(2));
  yield courier.read(at(2));
  yield { kind: "freed", intention: number, atMs: at(3), reservationId: id };
  yield door(number, "COLLECT", at(3));
  yield { kind: "reported", atMs: at(3), siteId: "site_1" };
  yield courier.event(id, 4, "PARCEL_COLLECTED", "COLLECTED", at(3));
  yield courier.read(at(3));
  yield { kind: "chain", intention: number, atMs: at(4), reservationId: id, isComplete: true, faults: [] };
}

/** What an oracle finds in a stream. */
export function judge(observations: Iterable<Observation>, options: OracleOptions = {}): ViolationFound[] {
  const oracle = createOracle(options);
  const found: ViolationFound[] = [];
  for (const observation of observations) found.push(...oracle.observe(observation));
  return [...found, ...oracle.finish()];
}

/** The rules that a stream breaks, each once. */
export function rulesBroken(observations: Iterable<Observation>, options: OracleOptions = {}): string[] {
  return [...new Set(judge(observations, options).map(({ rule }) => rule))].sort();
}
