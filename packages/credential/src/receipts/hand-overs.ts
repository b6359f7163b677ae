import { type Event, EventType, type Party, type Reservation, ReservationState } from "@petak/protocol";

/** One side of a hand-over: a party to the reservation, or the site's operator. */
type Side = "depositor" | "operator" | "collector";

/** A kind of event that has a receipt. */
export interface HandOver {
  /** Its name in the receipt. */
  readonly act: string;
  readonly event: EventType;
  /** The state before it. Undefined: any. */
  readonly from?: ReservationState;
  /** The state after it: an event of this type that does not lead to it has no receipt. Undefined: the event changes no state. */
  readonly to?: ReservationState;
  /** Who gives the parcel to whom. Undefined: no parcel changes hands. */
  readonly sides?: readonly [giver: Side, receiver: Side];
}

/**
 * All kinds of events that have a receipt; docs/custody.md has the same table. Every act that changes who has the parcel, or states that nobody has it, needs a
 * row here.
 */
export const handOvers: readonly HandOver[] = [
  { act: "RESERVED", event: EventType.RESERVATION_CONFIRMED, to: ReservationState.CONFIRMED },
  { act: "DEPOSITED", event: EventType.PARCEL_DEPOSITED, to: ReservationState.DEPOSITED, sides: ["depositor", "operator"] },
  { act: "COLLECTED", event: EventType.PARCEL_COLLECTED, to: ReservationState.COLLECTED, sides: ["operator", "collector"] },
  { act: "RECALLED", event: EventType.PARCEL_RECALLED, to: ReservationState.RECALLED, sides: ["operator", "depositor"] },
  { act: "NO_PARCEL", event: EventType.RESERVATION_NO_SHOW, from: ReservationState.IN_DOUBT, to: ReservationState.NO_SHOW },
  { act: "COUNTERSIGNED", event: EventType.RECEIPT_COUNTERSIGNED },
];

/** The hand-over that an event records; undefined if the event has no receipt. */
export function handOverOf({ type, stateBefore, stateAfter }: Pick<Event, "type" | "stateBefore" | "stateAfter">): HandOver | undefined {
  const handOver = handOvers.find(({ event }) => event === type);
  if (handOver === undefined || handOver.to === undefined) return handOver;
  const isFrom = handOver.from === undefined || handOver.from === stateBefore;
  return isFrom && stateAfter === handOver.to && stateBefore !== handOver.to ? handOver : undefined;
}

/** The party on a side. */
export function partyOn(
  side: Side | undefined,
  reservation: Pick<Reservation, "depositor" | "collector">,
  operator: Party,
): Party | undefined {
  if (side === undefined) return undefined;
  return side === "operator" ? operator : reservation[side];
}
