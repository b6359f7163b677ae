import { DeviceEventType, EventType, ReservationState } from "@petak/protocol";

/** One step of a reservation, as its clients know it. */
export interface Told {
  event: EventType;
  /** The state that it leads to. */
  state: ReservationState;
  /** When the answer came, in ms. */
  answeredMs: number;
}

/** What clients were told of one reservation. */
export interface Life {
  reservationId: string;
  siteId: string;
  told: Told[];
  /** A step that was sent and to which there is no answer. */
  pending?: Omit<Told, "answeredMs"> | undefined;
}

/** The steps that a life can take, and where they lead. */
export const steps = {
  reserve: { event: EventType.RESERVATION_HELD, state: ReservationState.HELD },
  confirm: { event: EventType.RESERVATION_CONFIRMED, state: ReservationState.CONFIRMED },
  cancel: { event: EventType.RESERVATION_CANCELLED, state: ReservationState.CANCELLED },
  extend: { event: EventType.RESERVATION_EXTENDED, state: ReservationState.CONFIRMED },
  deposit: { event: EventType.PARCEL_DEPOSITED, state: ReservationState.DEPOSITED },
  collect: { event: EventType.PARCEL_COLLECTED, state: ReservationState.COLLECTED },
} as const;

export type Step = keyof typeof steps;

/** What an agent reports of a step at the door. */
export const reports: Partial<Record<Step, DeviceEventType>> = {
  deposit: DeviceEventType.PARCEL_DEPOSITED,
  collect: DeviceEventType.PARCEL_COLLECTED,
};

/** Where a reservation stands, as far as its clients were told. */
export function stateOf({ told }: Life): ReservationState | undefined {
  return told.at(-1)?.state;
}

/** States in which a place is held, and in which a parcel lies in one. */
export const heldStates: ReadonlySet<ReservationState | undefined> = new Set([ReservationState.HELD, ReservationState.CONFIRMED]);
export const occupiedStates: ReadonlySet<ReservationState | undefined> = new Set([ReservationState.DEPOSITED]);

/** Whether a life goes on. */
export function isOpen(life: Life): boolean {
  const state = stateOf(life);
  return heldStates.has(state) || occupiedStates.has(state);
}
