import { transitions } from "@petak/lifecycle";
import { EventType, ReservationState } from "@petak/protocol";
import type { CallObserved, EventSeen, PlaceGiven } from "../observe/observation.ts";
import type { FeedOrder } from "./feed-order.ts";
import type { Judgement } from "./judgement.ts";
import type { FeedOfReservation, ReservationFacts, Reservations } from "./reservations.ts";

const namesOf = (values: Readonly<Record<string, number>>) => new Map(Object.entries(values).map(([name, value]) => [value, name]));
const typeNames = namesOf(EventType);
const stateNames = namesOf(ReservationState);

/** The type of the event of each transition, by its two states; the first state of a reservation follows "". */
const eventOfTransition = new Map(
  transitions.map(({ from, to, event }) => {
    const before = from === ReservationState.UNSPECIFIED ? "" : stateNames.get(from);
    return [`${before}>${stateNames.get(to)}`, typeNames.get(event)];
  }),
);
const knownStates: ReadonlySet<string> = new Set(stateNames.values());

/** Calls of which an event must tell when they were answered. */
const eventOfCall: Readonly<Record<string, string>> = {
  confirm: "RESERVATION_CONFIRMED",
  cancel: "RESERVATION_CANCELLED",
  redirect: "RESERVATION_CANCELLED",
};

/**
 * Checks the events of each reservation: in the feed of who reserved, revisions grow by one at most and states change as @petak/lifecycle has it; in other feeds,
 * which need not have all, revisions never go back. What was acknowledged has an event.
 */
export class ReservationEvents {
  readonly #judgement: Judgement;
  readonly #reservations: Reservations;
  readonly #feeds: FeedOrder;

  constructor(judgement: Judgement, reservations: Reservations, feeds: FeedOrder) {
    this.#judgement = judgement;
    this.#reservations = reservations;
    this.#feeds = feeds;
  }

  /** A place was given: its owner's feed must tell of it. */
  given(facts: ReservationFacts, given: PlaceGiven): void {
    const { participantId, reservationId } = given;
    if (participantId === undefined || facts.feeds.has(participantId)) return;
    facts.mustBegin = this.#judgement.readsFeed(participantId);
    this.#expect(facts, given, (types) => types.size > 0, `no event of the reservation ${reservationId}, whose place was given`);
  }

  /** A call was answered. */
  called(call: CallObserved): void {
    const { operation, outcome, reservationId = "" } = call;
    const type = eventOfCall[operation];
    const facts = this.#reservations.get(reservationId);
    if (facts === undefined || type === undefined || outcome !== "OK") return;
    this.#expect(
      facts,
      call,
      (types) => types.has(type),
      `no ${type} of the reservation ${reservationId}, though ${operation} was answered`,
    );
  }

  #expect(
    facts: ReservationFacts,
    because: PlaceGiven | CallObserved,
    isThere: (types: ReadonlySet<string>) => boolean,
    missing: string,
  ): void {
    this.#judgement.later(() => {
      // One that was queued and never got a place: whose feed tells of it was read.
      const owner = facts.given?.participantId ?? facts.feeds.keys().next().value;
      if (owner === undefined || !this.#judgement.readsFeed(owner) || isThere(facts.types)) return undefined;
      // A number that is missing was told of.
      if (this.#feeds.hasGaps) return undefined;
      const text = `The feed of ${owner} has ${missing}.`;
      return { rule: "event-lost", text, intentions: [facts.intention], evidence: [...facts.evidence, because] };
    });
  }

  /** An event that is out of its place in the feed: it has come all the same. */
  note({ feeds }: ReservationFacts, { participantId, type }: EventSeen): void {
    feeds.get(participantId)?.types.add(type);
  }

  /** @param isAfterGap something is missing before it */
  see(facts: ReservationFacts, event: EventSeen, isAfterGap: boolean): void {
    const { participantId, feedNumber, revision, stateAfter: state, type } = event;
    const before = facts.feeds.get(participantId);
    const isBroken = isAfterGap || (before !== undefined && this.#feeds.isBroken(participantId, before.feedNumber, feedNumber));
    if (!isBroken) this.#check(facts, event, before);
    const types = before?.types ?? new Set<string>();
    types.add(type);
    facts.feeds.set(participantId, { feedNumber, revision, state, last: event, types });
    this.#reservations.advance(facts, event);
    facts.keep(event);
  }

  #check(facts: ReservationFacts, event: EventSeen, before: FeedOfReservation | undefined): void {
    const problem = this.#problem(facts, event, before);
    if (problem === undefined) return;
    const { participantId, type, reservationId } = event;
    const text = `In the feed of ${participantId}, ${type} of the reservation ${reservationId} ${problem}.`;
    const evidence = before === undefined ? [...facts.evidence, event] : [before.last, event];
    this.#judgement.found({ rule: "event-out-of-order", text, intentions: [facts.intention], evidence });
  }

  #problem(facts: ReservationFacts, event: EventSeen, before: FeedOfReservation | undefined): string | undefined {
    const { participantId, revision, stateAfter, type } = event;
    if (before !== undefined && revision < before.revision) return `has revision ${revision} after ${before.revision}`;
    if (facts.given?.participantId !== participantId) return undefined;
    if (before === undefined && !facts.mustBegin) return undefined;
    const { revision: from, state } = before ?? { revision: 0, state: "" };
    if (revision > from + 1) return `has revision ${revision} after ${from}`;
    if (stateAfter === state || !knownStates.has(stateAfter) || !(state === "" || knownStates.has(state))) return undefined;
    const change = `from ${state === "" ? "nothing" : state} to ${stateAfter}`;
    const expected = eventOfTransition.get(`${state}>${stateAfter}`);
    if (expected === undefined) return `leads ${change}, which no transition does`;
    if (revision === from) return `leads ${change} and leaves the revision`;
    return expected === type ? undefined : `leads ${change}, which ${expected} does`;
  }
}
