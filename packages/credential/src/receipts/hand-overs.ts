import { type Event, EventType, type Party, type Reservation, ReservationState } from "@petak/protocol";

/** Who stands on one side of a hand-over: a party to the reservation, or the site's operator. */
type Side = "depositor" | "operator" | "collector";

/** Of what a receipt is made. */
export interface HandOver {
  /** What the receipt calls it. */
  readonly act: string;
  readonly event: EventType;
  /** The state that it leads from. Left out: any. */
  readonly from?: ReservationState;
  /** The state that it leads to: an event of the type that changes no state is none. Left out: it changes no state. */
  readonly to?: ReservationState;
  /** Who gives the parcel to whom. Left out where none is handed over. */
  readonly sides?: readonly [giver: Side, receiver: Side];
}

/**
 * Every event of which a receipt is made; docs/custody.md has the same table. An act that changes who has the parcel, or says that nobody has
 * it, gets a row here and a receipt by it.
 */
export const handOvers: readonly HandOver[] = [
  { act: "RESERVED", event: EventType.RESERVATION_CONFIRMED, to: ReservationState.CONFIRMED },
  { act: "DEPOSITED", event: EventType.PARCEL_DEPOSITED, to: ReservationState.DEPOSITED, sides: ["depositor", "operator"] },
  { act: "COLLECTED", event: EventType.PARCEL_COLLECTED, to: ReservationState.COLLECTED, sides: ["operator", "collector"] },
  { act: "RECALLED", event: EventType.PARCEL_RECALLED, to: ReservationState.RECALLED, sides: ["operator", "depositor"] },
  { act: "NO_PARCEL", event: EventType.RESERVATION_NO_SHOW, from: ReservationState.IN_DOUBT, to: ReservationState.NO_SHOW },
  { act: "COUNTERSIGNED", event: EventType.RECEIPT_COUNTERSIGNED },
];

/** The hand-over of which an event tells, or undefined where no receipt is made of it. */
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
