import type { Random } from "@petak/testkit";
import type { EventSeen, Observation } from "../../observe/observation.ts";
import { minuteMs } from "./stream.ts";

type OfKind<K extends Observation["kind"]> = Extract<Observation, { kind: K }>;

/** A fault that a network could have, made in what was observed of one that has none. */
export interface Mutation {
  readonly what: string;
  /** One of these rules at least must be found broken. */
  readonly breaks: readonly string[];
  /** Returns the changed stream; undefined if there is nothing in it that can be changed so. */
  readonly make: (stream: readonly Observation[], random: Random) => Observation[] | undefined;
}

/** Changes one observation that qualifies. */
function one<K extends Observation["kind"]>(
  kind: K,
  qualifies: (observation: OfKind<K>, index: number, stream: readonly Observation[]) => boolean,
  change: (observation: OfKind<K>, random: Random) => Observation[],
): Mutation["make"] {
  return (stream, random) => {
    const indices = stream.flatMap((observation, index) =>
      observation.kind === kind && qualifies(observation as OfKind<K>, index, stream) ? [index] : [],
    );
    if (indices.length === 0) return undefined;
    const index = random.pick(indices);
    return stream.toSpliced(index, 1, ...change(stream[index] as OfKind<K>, random));
  };
}

/** Whether the place of an event's reservation was given before the event was read. */
function isOwned(event: EventSeen, index: number, stream: readonly Observation[]): boolean {
  return stream.slice(0, index).some((other) => other.kind === "given" && other.reservationId === event.reservationId);
}

/** Whether the feed has events before and after an event. */
function isWithinFeed({ participantId }: EventSeen, index: number, stream: readonly Observation[]): boolean {
  const isOfFeed = (other: Observation) => other.kind === "event" && other.participantId === participantId;
  return stream.slice(0, index).some(isOfFeed) && stream.slice(index + 1).some(isOfFeed);
}

/** Gives the events of a feed numbers without a gap. */
function renumbered(stream: readonly Observation[]): Observation[] {
  const last = new Map<string, number>();
  return stream.map((observation) => {
    if (observation.kind !== "event") return observation;
    const feedNumber = (last.get(observation.participantId) ?? 0) + 1;
    last.set(observation.participantId, feedNumber);
    return { ...observation, feedNumber };
  });
}

const swapped: Mutation["make"] = (stream, random) => {
  const pairs = stream.flatMap((first, index) => {
    if (first.kind !== "event") return [];
    const next = stream.findIndex((other, at) => at > index && other.kind === "event" && other.participantId === first.participantId);
    return next < 0 ? [] : [[index, next] as const];
  });
  const [first, second] = random.pick(pairs);
  return stream.with(first, stream[second] as Observation).with(second, stream[first] as Observation);
};

/** No change of a place was recorded near the time of the counts, and the feeds are read to their end after them. */
const isQuiet = (counts: OfKind<"counts">, index: number, stream: readonly Observation[]) =>
  stream.slice(index).filter(({ kind }) => kind === "feed").length > 12 &&
  !stream.some(
    (other) => other.kind === "event" && other.siteId === counts.siteId && Math.abs(other.recordedAtMs - counts.publishedAtMs) <= 5000,
  );

const handOvers: ReadonlySet<string> = new Set(["PARCEL_DEPOSITED", "PARCEL_COLLECTED", "RESERVATION_CANCELLED", "RESERVATION_CONFIRMED"]);
const lost = one(
  "event",
  (event) => handOvers.has(event.type),
  () => [],
);

export const mutations: readonly Mutation[] = [
  {
    // Of the first in a feed the run cannot know: its feed need not begin with it.
    what: "an event is missing",
    breaks: ["event-lost", "event-out-of-order"],
    make: one("event", isWithinFeed, () => []),
  },
  {
    what: "an event is missing and the others have its number",
    breaks: ["event-lost", "event-out-of-order", "door-event-missing"],
    make: (stream, random) => {
      const without = lost(stream, random);
      return without === undefined ? undefined : renumbered(without);
    },
  },
  {
    what: "an event comes twice",
    breaks: ["event-doubled"],
    make: one(
      "event",
      () => true,
      (event) => [event, event],
    ),
  },
  { what: "two events are swapped", breaks: ["event-out-of-order"], make: swapped },
  {
    what: "an event states another state",
    breaks: ["event-out-of-order"],
    make: one("event", isOwned, (event, random) => [
      { ...event, stateAfter: random.pick(["QUEUED", "REJECTED", "RECALLED", "IN_DOUBT"].filter((state) => state !== event.stateAfter)) },
    ]),
  },
  {
    what: "an event states another revision",
    breaks: ["event-out-of-order"],
    make: one("event", isOwned, (event, random) => [{ ...event, revision: event.revision + random.pick([2, 3, 100]) }]),
  },
  {
    what: "a credential opens again",
    breaks: ["spent-token-opened"],
    make: (stream, random) => {
      const doors = stream.filter((other) => other.kind === "door" && other.opened);
      return doors.length === 0 ? undefined : [...stream, random.pick(doors)];
    },
  },
  {
    what: "a door opens at another site",
    breaks: ["opened-without-right"],
    make: one(
      "door",
      ({ opened }) => opened,
      (door) => [{ ...door, siteId: "site_other" }],
    ),
  },
  {
    what: "another door opens to collect",
    breaks: ["opened-without-right"],
    make: one(
      "door",
      ({ opened, act }) => opened && act === "COLLECT",
      (door) => [{ ...door, compartmentId: "S-9" }],
    ),
  },
  {
    what: "a place is given that others have",
    breaks: ["place-given-twice"],
    make: one(
      "given",
      () => true,
      (given) => [
        given,
        ...[1, 2, 3].map((more) => ({ ...given, intention: 1000 + more, reservationId: `res_more_${more}`, participantId: "par_nobody" })),
      ],
    ),
  },
  {
    what: "a count is one off",
    breaks: ["count-differs"],
    make: one("counts", isQuiet, (counts, random) => [
      {
        ...counts,
        sizeClasses: counts.sizeClasses.map((of) => {
          const kind = random.pick(["held", "occupied"] as const);
          const by = of[kind] === 0 || (of.freeToPromise > 0 && random.bool()) ? 1 : -1;
          const changed = { ...of, [kind]: of[kind] + by };
          return { ...changed, freeToPromise: Math.max(0, of.inService - changed.held - changed.occupied) };
        }),
      },
    ]),
  },
  {
    what: "free places are one off",
    breaks: ["count-differs"],
    make: one(
      "counts",
      () => true,
      (counts) => [{ ...counts, sizeClasses: counts.sizeClasses.map((of) => ({ ...of, freeToPromise: of.freeToPromise + 1 })) }],
    ),
  },
  {
    what: "an offer has no free place",
    breaks: ["offered-full"],
    make: one(
      "offer",
      () => true,
      (offer) => [{ ...offer, freeToPromise: 0 }],
    ),
  },
  {
    what: "an offer cannot carry the parcel",
    breaks: ["offered-too-small"],
    make: one(
      "offer",
      () => true,
      (offer) => [{ ...offer, parcel: { ...offer.parcel, massG: 1_000_000 } }],
    ),
  },
  {
    what: "an offer is closed",
    breaks: ["offered-closed"],
    make: one(
      "offer",
      () => true,
      (offer) => [{ ...offer, openAtMs: offer.atMs - (offer.atMs % (24 * 60 * minuteMs)) + 20 * 60 * minuteMs }],
    ),
  },
  {
    what: "an offer is stale",
    breaks: ["offered-stale"],
    make: one(
      "offer",
      () => true,
      (offer) => [{ ...offer, observedAtMs: (offer.askedAtMs ?? 0) - offer.ttlMs - 5001 }],
    ),
  },
  {
    what: "a chain has a fault",
    breaks: ["chain-broken"],
    make: one(
      "chain",
      () => true,
      (chain) => [{ ...chain, faults: ["PREVIOUS"] }],
    ),
  },
];
