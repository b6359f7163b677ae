import type { EventSeen, Observation, PlaceGiven } from "../observe/observation.ts";
import type { FullOptions } from "./options.ts";

/** What is known of a reservation in one feed. */
export interface FeedOfReservation {
  feedNumber: number;
  revision: number;
  state: string;
  last: EventSeen;
  readonly types: Set<string>;
}

/** A change of state, by the record. */
export interface StateChange {
  readonly recordedAtMs: number;
  readonly state: string;
}

/** Where a parcel is, by what was seen at doors. */
export type Parcel = "none" | "perhaps" | "inside" | "out";

/** Observations that are kept of a reservation as evidence. */
const evidenceMax = 12;

/** States in which a place is held or occupied. */
const heldStates: ReadonlySet<string> = new Set(["HELD", "CONFIRMED"]);
const occupiedStates: ReadonlySet<string> = new Set(["DEPOSITED", "IN_DOUBT"]);
export const isHeld = (state: string): boolean => heldStates.has(state);
export const isOccupied = (state: string): boolean => occupiedStates.has(state);
/** States after which a place is free. QUEUED has none yet. */
export const hasNoPlace = (state: string): boolean => !isHeld(state) && !isOccupied(state);
const hasEnded = (state: string): boolean => hasNoPlace(state) && state !== "QUEUED";

/** What is known of a reservation. */
export class ReservationFacts {
  readonly reservationId: string;
  intention = 0;
  /** The latest place that was given to it. */
  given: PlaceGiven | undefined;
  /** Its place was given and has certainly not been freed. */
  isTaken = false;
  readonly feeds = new Map<string, FeedOfReservation>();
  /** By the record, the latest last. */
  readonly states: StateChange[] = [];
  revision = 0;
  siteId = "";
  /** Its owner's feed was being read before the place was given, so its first event must be the first. */
  mustBegin = false;
  parcel: Parcel = "none";
  parcelIn: string | undefined;
  /** Its number among those that have ended; 0: it has not. */
  endNumber = 0;
  readonly #first: Observation[] = [];
  readonly #last: Observation[] = [];

  constructor(reservationId: string) {
    this.reservationId = reservationId;
  }

  get evidence(): Observation[] {
    return [...this.#first, ...this.#last];
  }

  /** Keeps an observation as evidence: the first and the last ones. */
  keep(observation: Observation): void {
    if (this.#first.length < 3) this.#first.push(observation);
    else if (this.#last.push(observation) > evidenceMax - 3) this.#last.shift();
  }

  /** Takes in a state by the record, if it is newer than what is known. */
  advance({ revision, stateAfter, recordedAtMs, siteId }: EventSeen): void {
    const state = this.states.at(-1)?.state;
    if (revision < this.revision || (revision === this.revision && state !== undefined)) return;
    this.revision = revision;
    this.siteId = siteId;
    if (state === stateAfter) return;
    this.states.push({ recordedAtMs, state: stateAfter });
    if (this.states.length > 8) this.states.shift();
  }

  /** Whether it had ended by a time, by the record. Its place could be given again then. */
  hadEndedBy(atMs: number): boolean {
    return this.states.some(({ recordedAtMs, state }) => hasEnded(state) && recordedAtMs <= atMs);
  }

  /** When it ended, by the record; undefined: it has not. */
  get endedAtMs(): number | undefined {
    const last = this.states.at(-1);
    return last !== undefined && hasEnded(last.state) ? last.recordedAtMs : undefined;
  }

  /** The states in which it may have been at a time, by the record. "": it was not made yet. */
  statesAt(atMs: number, toleranceMs: number): Set<string> {
    const possible = new Set<string>();
    let before = "";
    for (const { recordedAtMs, state } of this.states) {
      if (recordedAtMs > atMs + toleranceMs) break;
      if (recordedAtMs >= atMs - toleranceMs) possible.add(before);
      before = state;
    }
    return possible.add(before);
  }

  /** The types of its events: in the feed of who reserved; in any feed, if that is not known. */
  get types(): ReadonlySet<string> {
    const owner = this.given?.participantId;
    if (owner !== undefined) return this.feeds.get(owner)?.types ?? new Set();
    return new Set([...this.feeds.values()].flatMap(({ types }) => [...types]));
  }
}

/** Reservations that have ended and are still known: somebody may use a credential again, and late reports may come. */
const endedMax = 20_000;
const droppedAtOnce = 2000;

/** All reservations that are known: those that have not ended, and the last ones that have. */
export class Reservations {
  readonly #known = new Map<string, ReservationFacts>();
  /** In the order in which they ended, those too that were revived since: their number is another then. */
  #ended: { readonly facts: ReservationFacts; readonly number: number }[] = [];
  #ends = 0;
  #endedCount = 0;
  /** By site, those whose events are counted there. */
  readonly #atSite = new Map<string, Set<ReservationFacts>>();
  readonly #onDropped: (facts: ReservationFacts) => void;
  readonly options: FullOptions;

  /** @param onDropped called when a reservation is forgotten */
  constructor(options: FullOptions, onDropped: (facts: ReservationFacts) => void) {
    this.options = options;
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#known.size;
  }

  get(reservationId: string): ReservationFacts | undefined {
    return this.#known.get(reservationId);
  }

  getOrMake(reservationId: string): ReservationFacts {
    const known = this.#known.get(reservationId);
    if (known !== undefined) return known;
    const facts = new ReservationFacts(reservationId);
    this.#known.set(reservationId, facts);
    return facts;
  }

  /** Takes in an event's state. */
  advance(facts: ReservationFacts, event: EventSeen): void {
    const { siteId } = facts;
    facts.advance(event);
    if (facts.siteId !== siteId) {
      this.#atSite.get(siteId)?.delete(facts);
      this.#at(facts.siteId).add(facts);
    }
    if (facts.endedAtMs === undefined) this.revived(facts);
    else this.ended(facts);
  }

  /** Nothing more is expected of it, unless its parcel lies there. The oldest of many is forgotten. */
  ended(facts: ReservationFacts): void {
    const state = facts.states.at(-1)?.state;
    if (state !== "COLLECTED" && state !== "RECALLED" && (facts.parcel === "inside" || facts.parcel === "perhaps")) return;
    if (facts.endNumber !== 0) return;
    facts.endNumber = ++this.#ends;
    this.#ended.push({ facts, number: facts.endNumber });
    this.#endedCount += 1;
    if (this.#endedCount > endedMax + droppedAtOnce || this.#ended.length > 3 * endedMax) this.#drop();
  }

  /** Something is expected of it again. */
  revived(facts: ReservationFacts): void {
    if (facts.endNumber === 0) return;
    facts.endNumber = 0;
    this.#endedCount -= 1;
  }

  /** Forgets the oldest beyond the limit. */
  #drop(): void {
    const ended = this.#ended.filter(({ facts, number }) => facts.endNumber === number);
    for (const { facts } of ended.splice(0, Math.max(0, ended.length - endedMax))) {
      this.#known.delete(facts.reservationId);
      this.#atSite.get(facts.siteId)?.delete(facts);
      this.#onDropped(facts);
    }
    this.#ended = ended;
    this.#endedCount = ended.length;
  }

  countedAt(siteId: string): Iterable<ReservationFacts> {
    return this.#atSite.get(siteId) ?? [];
  }

  #at(siteId: string): Set<ReservationFacts> {
    const known = this.#atSite.get(siteId);
    if (known !== undefined) return known;
    const made = new Set<ReservationFacts>();
    this.#atSite.set(siteId, made);
    return made;
  }
}
