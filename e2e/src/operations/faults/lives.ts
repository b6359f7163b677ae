import { DeviceEventType, EventType, ReservationState } from "@petak/protocol";

/** A step of a reservation to which a client got a response. */
export interface AnsweredStep {
  event: EventType;
  /** The state after the step. */
  state: ReservationState;
  /** When the response arrived, in ms since 1970. */
  answeredMs: number;
}

/** A client's record of one reservation. */
export interface Life {
  reservationId: string;
  siteId: string;
  answered: AnsweredStep[];
  /** A step that was sent and has no response yet. */
  pending?: Omit<AnsweredStep, "answeredMs"> | undefined;
}

/** The possible steps of a life, with their events and states. */
export const steps = {
  reserve: { event: EventType.RESERVATION_HELD, state: ReservationState.HELD },
  confirm: { event: EventType.RESERVATION_CONFIRMED, state: ReservationState.CONFIRMED },
  cancel: { event: EventType.RESERVATION_CANCELLED, state: ReservationState.CANCELLED },
  extend: { event: EventType.RESERVATION_EXTENDED, state: ReservationState.CONFIRMED },
  deposit: { event: EventType.PARCEL_DEPOSITED, state: ReservationState.DEPOSITED },
  collect: { event: EventType.PARCEL_COLLECTED, state: ReservationState.COLLECTED },
} as const;

export type Step = keyof typeof steps;

/** The device event of each step at the door. */
export const reports: Partial<Record<Step, DeviceEventType>> = {
  deposit: DeviceEventType.PARCEL_DEPOSITED,
  collect: DeviceEventType.PARCEL_COLLECTED,
};

/** The state of a reservation as its client knows it. */
export function stateOf({ answered }: Life): ReservationState | undefined {
  return answered.at(-1)?.state;
}

/** States in which a place is held, and in which it contains a parcel. */
export const heldStates: ReadonlySet<ReservationState | undefined> = new Set([ReservationState.HELD, ReservationState.CONFIRMED]);
export const occupiedStates: ReadonlySet<ReservationState | undefined> = new Set([ReservationState.DEPOSITED]);

/** Whether further steps are possible. */
export function isOpen(life: Life): boolean {
  const state = stateOf(life);
  return heldStates.has(state) || occupiedStates.has(state);
}
