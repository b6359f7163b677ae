import type { EventSeen, FeedRead } from "../observe/observation.ts";
import type { Judgement } from "./judgement.ts";
import { Recent } from "./recent.ts";

/** Events of a feed that are remembered, to know one that comes again. */
const rememberedMax = 10_000;

/** Gaps of a feed that are remembered. */
const gapsMax = 1000;

interface Gap {
  /** The first and the last number that is missing. */
  readonly from: number;
  readonly to: number;
  /** The event that came instead. */
  readonly next: EventSeen;
  isTold: boolean;
}

interface Feed {
  last: number;
  gaps: Gap[];
  readonly byNumber: Recent<number, EventSeen>;
  readonly byId: Recent<string, EventSeen>;
}

/** What a feed says of the place of an event in it. */
export type FeedPlace =
  /** The next one. */
  | "next"
  /** After a gap: what it says of a reservation may rest on what is missing. */
  | "after-gap"
  /** Wrong, and told. */
  | "wrong";

/** Checks that each feed has every number once, in order. */
export class FeedOrder {
  readonly #feeds = new Map<string, Feed>();
  readonly #judgement: Judgement;
  readonly #intentionOf: (reservationId: string) => number;

  constructor(judgement: Judgement, intentionOf: (reservationId: string) => number) {
    this.#judgement = judgement;
    this.#intentionOf = intentionOf;
  }

  /** Whether a feed has lost something: what rests on all events cannot be judged any more. */
  hasGaps = false;

  /** Whether events of a feed are missing between two of its numbers. */
  isBroken(participantId: string, from: number, to: number): boolean {
    return this.#feeds.get(participantId)?.gaps.some((gap) => gap.from < to && gap.to > from) === true;
  }

  see(event: EventSeen): FeedPlace {
    const { participantId, feedNumber, eventId } = event;
    const feed = this.#feeds.get(participantId) ?? this.#open(participantId, feedNumber - 1);
    const same = feed.byId.get(eventId);
    const other = feed.byNumber.get(feedNumber);
    this.#remember(feed, event);
    if (same !== undefined) {
      if (feedNumber === feed.last + 1) feed.last = feedNumber;
      return this.#doubled(same, event);
    }
    if (feedNumber === feed.last + 1) {
      feed.last = feedNumber;
      return "next";
    }
    if (feedNumber > feed.last) {
      this.hasGaps = true;
      feed.gaps.push({ from: feed.last + 1, to: feedNumber - 1, next: event, isTold: false });
      if (feed.gaps.length > gapsMax) feed.gaps.shift();
      feed.last = feedNumber;
      return "after-gap";
    }
    return this.#late(feed, event, other);
  }

  /** A feed was read to its end: what is missing in it now is lost. */
  read({ participantId }: FeedRead): void {
    const feed = this.#feeds.get(participantId);
    if (feed !== undefined) this.#tellGaps(participantId, feed);
  }

  finish(): void {
    for (const [participantId, feed] of this.#feeds) this.#tellGaps(participantId, feed);
  }

  #open(participantId: string, last: number): Feed {
    const feed: Feed = { last, gaps: [], byNumber: new Recent(rememberedMax), byId: new Recent(rememberedMax) };
    this.#feeds.set(participantId, feed);
    return feed;
  }

  #remember({ byId, byNumber }: Feed, event: EventSeen): void {
    if (byId.get(event.eventId) === undefined) byId.set(event.eventId, event);
    if (byNumber.get(event.feedNumber) === undefined) byNumber.set(event.feedNumber, event);
  }

  #doubled(first: EventSeen, again: EventSeen): FeedPlace {
    const numbers =
      first.feedNumber === again.feedNumber ? `number ${first.feedNumber}` : `numbers ${first.feedNumber} and ${again.feedNumber}`;
    const text = `The feed of ${again.participantId} has the event ${again.eventId} twice, under ${numbers}.`;
    this.#judgement.found({ rule: "event-doubled", text, intentions: this.#intentions(first, again), evidence: [first, again] });
    return "wrong";
  }

  /** A number that should have come before. */
  #late(feed: Feed, event: EventSeen, other: EventSeen | undefined): FeedPlace {
    const { participantId, feedNumber } = event;
    const gap = feed.gaps.find(({ from, to }) => from <= feedNumber && feedNumber <= to);
    const before = other ?? gap?.next ?? feed.byNumber.get(feed.last);
    const text =
      other === undefined
        ? `The feed of ${participantId} has the event with number ${feedNumber} behind that with ${before?.feedNumber ?? feed.last}.`
        : `The feed of ${participantId} has two events with number ${feedNumber}: ${other.eventId} and ${event.eventId}.`;
    if (gap !== undefined) feed.gaps = feed.gaps.flatMap((one) => (one === gap ? around(gap, feedNumber) : [one]));
    const evidence = before === undefined ? [event] : [before, event];
    this.#judgement.found({ rule: "event-out-of-order", text, intentions: this.#intentions(...evidence), evidence });
    return "wrong";
  }

  #tellGaps(participantId: string, feed: Feed): void {
    for (const gap of feed.gaps) {
      if (gap.isTold) continue;
      gap.isTold = true;
      const { from, to, next } = gap;
      const before = feed.byNumber.get(from - 1);
      const numbers = from === to ? `the event with number ${from}` : `the events with numbers ${from} to ${to}`;
      const text = `The feed of ${participantId} does not have ${numbers}: ${before?.feedNumber ?? from - 1} is followed by ${next.feedNumber}.`;
      const evidence = before === undefined ? [next] : [before, next];
      this.#judgement.found({ rule: "event-lost", text, intentions: this.#intentions(...evidence), evidence });
    }
  }

  #intentions(...events: readonly EventSeen[]): number[] {
    return events.map(({ reservationId }) => this.#intentionOf(reservationId));
  }
}

/** What is left of a gap when one of its numbers has come. */
function around(gap: Gap, number: number): Gap[] {
  return [
    { ...gap, to: number - 1 },
    { ...gap, from: number + 1 },
  ].filter(({ from, to }) => from <= to);
}
