import type {
  CallObserved,
  ChainVerified,
  EventSeen,
  FeedRead,
  Observation,
  PlaceEnded,
  PlaceGiven,
  ViolationFound,
} from "../observe/observation.ts";
import { Counts } from "./counts.ts";
import { Doors } from "./doors.ts";
import { FeedOrder } from "./feed-order.ts";
import { Judgement } from "./judgement.ts";
import { Offers } from "./offers.ts";
import { type OracleOptions, withDefaults } from "./options.ts";
import { Places } from "./places.ts";
import { ReservationEvents } from "./reservation-events.ts";
import { Reservations } from "./reservations.ts";
import { Sites } from "./sites.ts";

/** Watches a run for what must never be true. */
export interface Oracle {
  /** Takes in an observation, in the order in which it was observed. Returns what is now certain to be wrong. */
  observe(observation: Observation): ViolationFound[];
  /** The run is over: returns the rest. */
  finish(): ViolationFound[];
}

/**
 * Makes an oracle. Pure: it judges by what the network, its sites and its cabinets state and when they say it was, never by when an answer came to an actor.
 *
 * Memory: the reservations that have not ended, the 20,000 that ended last, the last 10,000 events of each feed, and checks that wait for the feeds to be read.
 */
export function createOracle(options: OracleOptions = {}): Oracle {
  const full = withDefaults(options);
  const judgement = new Judgement();
  const reservations = new Reservations(full, (facts) => {
    places.free(facts);
    doors.dropped(facts);
  });
  const sites = new Sites();
  const places = new Places(judgement, sites, full);
  const doors = new Doors(judgement, reservations, full);
  const feeds = new FeedOrder(judgement, (id) => reservations.get(id)?.intention ?? 0);
  const events = new ReservationEvents(judgement, reservations, feeds);
  const counts = new Counts(judgement, reservations, sites, feeds, full);
  const offers = new Offers(judgement, sites, places, full);

  function given(place: PlaceGiven): void {
    const facts = reservations.getOrMake(place.reservationId);
    facts.intention = place.intention;
    if (facts.endedAtMs === undefined) reservations.revived(facts);
    // If its end was read before the answer that gave it, it has no place any more.
    const isOver = facts.endedAtMs !== undefined;
    places.give(facts, place);
    if (isOver) places.free(facts);
    facts.keep(place);
    events.given(facts, place);
  }

  function verified(chain: ChainVerified): void {
    const { faults, isComplete, reservationId, intention } = chain;
    if (faults.length === 0 && isComplete) return;
    const why = faults.length === 0 ? "is not shown to be complete" : `has ${[...new Set(faults)].join(", ")}`;
    const evidence = [...(reservations.get(reservationId)?.evidence ?? []), chain];
    judgement.found({
      rule: "chain-broken",
      text: `The chain of the reservation ${reservationId} ${why}.`,
      intentions: [intention],
      evidence,
    });
  }

  function freed(observation: PlaceEnded): void {
    const facts = reservations.get(observation.reservationId);
    if (facts === undefined) return;
    places.free(facts);
    facts.keep(observation);
    reservations.ended(facts);
  }

  function happened(event: EventSeen): void {
    judgement.feedSeen(event.participantId);
    const place = feeds.see(event);
    if (event.reservationId === "") return;
    const facts = reservations.getOrMake(event.reservationId);
    if (place === "wrong") events.note(facts, event);
    else events.see(facts, event, place === "after-gap");
    if (facts.endedAtMs !== undefined) places.free(facts);
  }

  function called(call: CallObserved): void {
    const { operation, outcome, siteId, atMs } = call;
    if (operation === "sync" && outcome === "OK" && siteId !== undefined) doors.synchronised(siteId, atMs);
    events.called(call);
  }

  function read(feed: FeedRead): void {
    feeds.read(feed);
    judgement.feedRead(feed.participantId);
  }

  const takers: { readonly [K in Observation["kind"]]?: (observation: Extract<Observation, { kind: K }>) => void } = {
    site: (site) => sites.see(site),
    offer: (offer) => offers.see(offer),
    given,
    freed,
    door: (door) => doors.act(door),
    reported: ({ siteId }) => doors.reported(siteId),
    event: happened,
    feed: read,
    directory: () => offers.directoryRead(),
    call: called,
    counts: (sample) => counts.see(sample),
    chain: verified,
  };

  return {
    observe(observation) {
      if (observation.kind !== "late") judgement.at(observation.atMs);
      const take = takers[observation.kind] as ((observation: Observation) => void) | undefined;
      take?.(observation);
      return judgement.take();
    },
    finish() {
      feeds.finish();
      return [...judgement.take(), ...judgement.takeUntold()];
    },
  };
}
