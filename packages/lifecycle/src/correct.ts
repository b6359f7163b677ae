import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type CorrectionReason, CorrectionSchema, type Event, EventType, type Party, type Reservation } from "@petak/protocol";
import { amend, type Transition } from "./transition.ts";

export interface CorrectionFacts {
  actor: Party;
  /** The events that are declared wrong. */
  eventIds: readonly string[];
  reason: CorrectionReason;
  /** When the event really happened; undefined if unknown or if several events are corrected. */
  occurredAt: Timestamp | undefined;
}

/** Declares events wrong. Events never change, so a correction is a new event, which is returned too. */
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
