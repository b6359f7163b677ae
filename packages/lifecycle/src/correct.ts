import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type CorrectionReason, CorrectionSchema, type Event, EventType, type Party, type Reservation } from "@petak/protocol";
import { amend, type Transition } from "./transition.ts";

/** The facts of a correction. */
export interface CorrectionFacts {
  actor: Party;
  /** The events of the reservation that are declared wrong. */
  eventIds: readonly string[];
  reason: CorrectionReason;
  /** When a single event truly happened; undefined: unknown, or there are several. */
  occurredAt: Timestamp | undefined;
}

/** Declares events wrong by another event at the end of the chain, which is given too: no event ever changes. */
export function correctEvents(
  before: Reservation,
  { actor, eventIds, reason, occurredAt }: CorrectionFacts,
  atMs: number,
): { transition: Transition; event: Event } {
  const correction = create(CorrectionSchema, { eventIds: [...eventIds], reason, ...(occurredAt === undefined ? {} : { occurredAt }) });
  const transition = amend(before, {}, { type: EventType.EVENTS_CORRECTED, actor }, atMs);
  const [recorded] = transition.events;
  const event = { ...recorded, correction } as Event;
  return { transition: { ...transition, events: [event] }, event };
}
